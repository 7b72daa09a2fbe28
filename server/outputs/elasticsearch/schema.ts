import { hasDateParts, templatePatterns } from "./index-names.ts";

/** Raised when the template changes: an installed one of this version or newer is left as it is. */
export const templateVersion = 1;

/** Above the products' own templates (100 and 200), which match `logs-*` and the like. */
const priority = 500;
const maxFields = 1000;
/** Longer text stays in the document and is found no more by its value; keeps clear of Lucene's 32,766 bytes a term. */
const maxKeywordLength = 1024;

const keyword = { type: "keyword", ignore_above: maxKeywordLength };
// A value that does not fit its type stays in the document, is not indexed, and does not get the event refused.
const ip = { type: "ip", ignore_malformed: true };
const port = { type: "long", ignore_malformed: true };
/** Attackers' text: found by its words, without what a ranking or an exact match of all of it would cost. */
const words = { type: "text", norms: false, index_options: "docs" };

export interface IndexTemplateOptions {
  /**
   * Fields past the limit are left out of the index instead of getting the event refused. Elasticsearch 8.14 and newer
   * has it; others, and OpenSearch, refuse a template with it.
   */
  readonly isBeyondLimitIgnored?: boolean;
}

/**
 * The composable index template for ECS events in the indices that `index` names (date parts `%Y %m %d` become `*`);
 * the body of `PUT /_index_template/…` for Elasticsearch from 7.8 and OpenSearch.
 * @see https://www.elastic.co/docs/manage-data/data-store/templates
 */
export function indexTemplate(index: string, { isBeyondLimitIgnored = false }: IndexTemplateOptions = {}) {
  return {
    index_patterns: templatePatterns(index),
    priority,
    version: templateVersion,
    _meta: {
      description: `events delivered by Loom into ${index}${hasDateParts(index) ? ", an index for each day of receipt" : ""}`,
    },
    template: {
      settings: {
        index: {
          codec: "best_compression",
          // no replica on a single node, which could not place it; one where there are more
          auto_expand_replicas: "0-1",
          mapping: {
            total_fields: {
              limit: maxFields,
              ...(isBeyondLimitIgnored && { ignore_dynamic_beyond_limit: true }),
            },
          },
        },
      },
      mappings: {
        // The first text that looks like a date or a number would make every other text in that field be refused.
        date_detection: false,
        numeric_detection: false,
        dynamic_templates: [
          { text: { match_mapping_type: "string", mapping: keyword } },
          { booleans: { match_mapping_type: "boolean", mapping: keyword } },
          { integers: { match_mapping_type: "long", mapping: { type: "long", ignore_malformed: true } } },
          {
            fractions: { match_mapping_type: "double", mapping: { type: "double", ignore_malformed: true } },
          },
        ],
        properties: {
          "@timestamp": { type: "date" },
          event: {
            properties: {
              summary: words,
              // up to 32 KiB of hexadecimal digits, kept in the document alone
              original_payload_hex: { type: "keyword", index: false, doc_values: false },
            },
          },
          source: {
            properties: {
              ip,
              port,
              domain: keyword,
              as: {
                properties: {
                  number: { type: "long", ignore_malformed: true },
                  organization: { properties: { name: keyword } },
                },
              },
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
                  // The names are the attacker's too. As fields they would use up the limit, and a header called "host.a"
                  // or ".." would get its event refused: a way to hide from whoever searches.
                  headers: { type: "object", enabled: false },
                  body: {
                    properties: { bytes: { type: "long", ignore_malformed: true }, content: words },
                  },
                },
              },
            },
          },
        },
      },
    },
  };
}
