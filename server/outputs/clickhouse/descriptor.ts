import { optional, required, withDefault } from "../../config/key.ts";
import { flag } from "../../config/kind.ts";
import { defineOutput } from "../descriptor.ts";
import { password, serverUrl, user } from "../http/kinds.ts";
import { createClickhouseHistory } from "./history/clickhouse-history.ts";
import { sqlIdentifier } from "./kinds.ts";
import { createClickhouseOutput } from "./output.ts";
import { schemaText } from "./schema.ts";

const defaultName = { database: "default", table: "loom_events" };

export const clickhouse = defineOutput({
  name: "clickhouse",
  title: "ClickHouse",
  description: "ClickHouse receives events over its HTTP interface.",
  keys: {
    clickhouse_url: required(
      serverUrl("clickhouse_user", "clickhouse_password"),
      'The server, as "http://host:port" or "https://host:port".',
      { example: '"http://localhost:8123"' },
    ),
    clickhouse_database: withDefault(
      sqlIdentifier,
      defaultName.database,
      "The database: letters, digits and _.",
    ),
    clickhouse_table: withDefault(
      sqlIdentifier,
      defaultName.table,
      'The table: letters, digits and _. It needs a column "event String".',
    ),
    clickhouse_user: optional(user, "The user.", {
      example: '"loom"',
      environment: "LOOM_CLICKHOUSE_USER",
    }),
    clickhouse_password: optional(
      password,
      "The password. Prefer the environment, so that the file contains no secret.",
      {
        example: '"change-me"',
        environment: "LOOM_CLICKHOUSE_PASSWORD",
      },
    ),
    clickhouse_create_table: withDefault(
      flag,
      false,
      'Creates the table if it does not exist. "loom schema clickhouse" prints the statement.',
    ),
  },
  schema: { title: "the table for ClickHouse", text: () => schemaText(defaultName) },
  create: (settings, { log }) => createClickhouseOutput({ ...settings, log }),
  openHistory: (settings, { log }) => createClickhouseHistory({ ...settings, log }),
});
