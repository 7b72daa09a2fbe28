import { hasDateParts, templatePatterns } from "./index-names.ts";

/** Increase it when the template changes. An installed template of this version or a newer one is not replaced. */
export const templateVersion = 1;

/** Above the templates of the products themselves (100 and 200), which match `logs-*` and similar names. */
const priority = 500;
const maxFields = 1000;
/** Longer text stays in the document but cannot be searched by value. Lucene allows 32,766 bytes for a term. */
const maxKeywordLength = 1024;

const keyword = { type: "keyword", ignore_above: maxKeywordLength };
// A value that does not fit its type stays in the document and is not indexed. The event is not rejected for it.
const ip = { type: "ip", ignore_malformed: true };
const port = { type: "long", ignore_malformed: true };
/** Text of attackers: it can be searched by its words, without the cost of ranking and of exact matches. */
const words = { type: "text", norms: false, index_options: "docs" };

const integer = { type: "long", ignore_malformed: true };

/** The fields of ECS that need another type than the one that their first value would give them. */
const properties = {
  "@timestamp": { type: "date" },
  event: {
    properties: {
      summary: words,
      // up to 32 KiB of hexadecimal digits, stored in the document only
      original_payload_hex: { type: "keyword", index: false, doc_values: false },
    },
  },
  source: {
    properties: {
      ip,
      port,
      domain: keyword,
      as: { properties: { number: integer, organization: { properties: { name: keyword } } } },
      geo: {
        properties: {
          continent_code: keyword,
          continent_name: keyword,
          country_iso_code: keyword,
          country_name: keyword,
          region_iso_code: keyword,
          region_name: keyword,
          city_name: keyword,
          postal_code: keyword,
          timezone: keyword,
          location: { type: "geo_point", ignore_malformed: true },
        },
      },
    },
  },
  destination: { properties: { ip, port } },
  url: { properties: { port } },
  http: {
    properties: {
      request: {
        properties: {
          // The attacker chooses the names of headers too. As fields they would use up the limit, and a header called
          // "host.a" or ".." would get its event rejected, so that an attacker could hide.
          headers: { type: "object", enabled: false },
          body: { properties: { bytes: integer, content: words } },
        },
      },
    },
  },
};

const mappings = {
  // The first text that looks like a date or a number would get every other text in its field rejected.
  date_detection: false,
  numeric_detection: false,
  dynamic_templates: [
    { text: { match_mapping_type: "string", mapping: keyword } },
    { booleans: { match_mapping_type: "boolean", mapping: keyword } },
    { integers: { match_mapping_type: "long", mapping: integer } },
    { fractions: { match_mapping_type: "double", mapping: { type: "double", ignore_malformed: true } } },
  ],
  properties,
};

export interface IndexTemplateOptions {
  /**
   * Fields over the limit are not indexed, instead of the event being rejected. Elasticsearch 8.14 and newer support it.
   * Older versions and OpenSearch refuse a template with it.
   */
  readonly isBeyondLimitIgnored?: boolean;
}

/**
 * The composable index template for ECS events in the indices that `index` names (date parts `%Y %m %d` become `*`);
 * the body of `PUT /_index_template/…` for Elasticsearch from 7.8 and OpenSearch.
 * @see https://www.elastic.co/docs/manage-data/data-store/templates
 */
export function indexTemplate(index: string, { isBeyondLimitIgnored = false }: IndexTemplateOptions = {}) {
  const daily = hasDateParts(index) ? ", an index for each day of receipt" : "";
  return {
    index_patterns: templatePatterns(index),
    priority,
    version: templateVersion,
    _meta: { description: `events delivered by Loom into ${index}${daily}` },
    template: {
      settings: {
        index: {
          codec: "best_compression",
          // No replica on a single node, which could not allocate it; one replica on several nodes.
          auto_expand_replicas: "0-1",
          mapping: {
            total_fields: {
              limit: maxFields,
              ...(isBeyondLimitIgnored && { ignore_dynamic_beyond_limit: true }),
            },
          },
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
