import { properties, searchedByDefault } from "./fields.ts";
import { hasDateParts, templatePatterns } from "./index-names.ts";

/** Increase it when the template changes. An installed template of this version or a newer one is not replaced. */
export const templateVersion = 2;

/** Above the templates of the products themselves (100 and 200), which match `logs-*` and similar names. */
export const templatePriority = 500;
const maxFields = 1000;
/** Above the 64 levels that a kept event can have, for operators who set `dynamic` to true. */
const maxDepth = 100;

const mappings = {
  /** Tells whether this template decides the mapping of an index. */
  _meta: { loom: templateVersion },
  // Other fields stay in the document and are not indexed. Otherwise the first event with a field would decide its type for
  // all events, and the fields of one sensor could use up the limit for all of them.
  dynamic: false,
  // For operators who set `dynamic` to true: the first text that looks like a date or a number would get every other text in
  // its field rejected.
  date_detection: false,
  numeric_detection: false,
  properties,
};

/**
 * The composable index template for ECS events in the indices that `index` names (date parts `%Y %m %d` become `*`);
 * the body of `PUT /_index_template/…` for Elasticsearch from 7.8 and OpenSearch.
 * @see https://www.elastic.co/docs/manage-data/data-store/templates
 */
export function indexTemplate(index: string) {
  const daily = hasDateParts(index) ? ", an index for each day of receipt" : "";
  return {
    index_patterns: templatePatterns(index),
    priority: templatePriority,
    version: templateVersion,
    _meta: { description: `events delivered by Loom into ${index}${daily}` },
    template: {
      settings: {
        index: {
          codec: "best_compression",
          // No replica on a single node, which could not allocate it; one replica on several nodes.
          auto_expand_replicas: "0-1",
          mapping: { total_fields: { limit: maxFields }, depth: { limit: maxDepth } },
          query: { default_field: searchedByDefault },
        },
      },
      mappings,
    },
  };
}

/** What `loom schema elasticsearch` prints: the template, as the body of `PUT /_index_template/…`. */
export function schemaText(index: string): string {
  return `${JSON.stringify(indexTemplate(index), null, 2)}\n`;
}
