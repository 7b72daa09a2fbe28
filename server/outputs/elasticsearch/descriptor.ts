import { optional, required, withDefault } from "../../config/key.ts";
import { flag, oneOrMore, path } from "../../config/kind.ts";
import { defineOutput } from "../descriptor.ts";
import { readCertificateAuthorities } from "../http/certificates.ts";
import { password, serverUrl, user } from "../http/kinds.ts";
import { dailyIndex, singleIndex } from "./choose-index.ts";
import { indexName } from "./kinds.ts";
import { createElasticsearchOutput } from "./output.ts";
import { schemaText } from "./schema.ts";

export const elasticsearch = defineOutput({
  name: "elasticsearch",
  title: "Elasticsearch",
  description: "Elasticsearch or OpenSearch receives events through its _bulk API.",
  keys: {
    elasticsearch_url: required(
      oneOrMore(serverUrl("elasticsearch_user", "elasticsearch_pass"), 16),
      'The server, as "http://host:port" or "https://host:port". A list of several is tried in turn.',
      { example: '"https://localhost:9200"' },
    ),
    elasticsearch_index: optional(
      indexName,
      `An index, alias or data stream. The date parts %Y, %m and %d stand for the day on which an event was received, in UTC. If the key is not set, Loom uses "${dailyIndex}", or "${singleIndex}" if an index of that name exists already.`,
      { example: JSON.stringify(dailyIndex) },
    ),
    elasticsearch_user: optional(user, "The user.", {
      example: '"loom"',
      environment: "LOOM_ELASTICSEARCH_USER",
    }),
    elasticsearch_pass: optional(
      password,
      "The password. Prefer the environment, so that the file contains no secret.",
      {
        example: '"change-me"',
        environment: "LOOM_ELASTICSEARCH_PASS",
      },
    ),
    elasticsearch_api_key: optional(
      password,
      'An API key, used instead of user and password: encoded, or as "id:key". Prefer the environment.',
      { example: '"change-me"', environment: "LOOM_ELASTICSEARCH_API_KEY" },
    ),
    elasticsearch_ca_file: optional(
      path,
      "A file of certificates in PEM that are trusted instead of the system's.",
      { example: '"/etc/loom/elasticsearch-ca.crt"' },
    ),
    elasticsearch_install_template: withDefault(
      flag,
      true,
      'Installs the index template that "loom schema elasticsearch" prints.',
    ),
  },
  schema: {
    title: "the index template for Elasticsearch and OpenSearch",
    text: () => schemaText(singleIndex),
  },
  async create({ caFile, ...settings }, { log }) {
    const certificateAuthorities =
      caFile === undefined ? undefined : await readCertificateAuthorities("elasticsearch_ca_file", caFile);
    return createElasticsearchOutput({ ...settings, certificateAuthorities, log });
  },
});
