import { isAtLeast, type ServerVersion } from "./server-version.ts";
import { definitionOf, fieldColumns } from "./table-columns.ts";

/** Names that the configuration has checked: letters, digits and `_`. */
export interface TableName {
  readonly database: string;
  readonly table: string;
}

/** The name of the table in SQL. */
export function quoteTable({ database, table }: TableName): string {
  return `\`${database}\`.\`${table}\``;
}

/** The statement that creates the table, with everything that a server of this version supports. */
export function createTableStatement(name: TableName, version: ServerVersion): string {
  if (isAtLeast(version, 23, 8)) return modernTable(name);
  // The setting exists since 21.x, and the token that uses it since 22.2.
  return isAtLeast(version, 22, 2) ? `${minimalTable(name)}\n${deduplication}` : minimalTable(name);
}

/** How many inserts the table remembers. Loom sends in order, so a retry arrives before that many other inserts. */
const deduplication = "SETTINGS non_replicated_deduplication_window = 1000";

/** The table that Loom needs at least, in SQL that every server since 18.16 accepts. */
export function minimalTable(name: TableName): string {
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(name)} (\`event\` String) ENGINE = MergeTree ORDER BY tuple()`;
}

/**
 * The table for 23.8 and newer. No event may be rejected for its content, so every function in it has a value for any
 * input. `timestamp` is used for sorting, partitions and expiry. A sensor whose clock is wrong must neither create hundreds
 * of partitions in one insert (TOO_MANY_PARTS) nor have its events expire at once, so `timestamp` is the time of arrival if
 * the event's own time is implausible. `event_time` is the event's own time.
 */
export function modernTable(name: TableName): string {
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(name)}
(
    \`event\` String CODEC(ZSTD(3)),
    \`event_time\` Nullable(DateTime64(3, 'UTC'))
        MATERIALIZED parseDateTime64BestEffortOrNull(JSONExtractString(event, '@timestamp'), 3, 'UTC') CODEC(ZSTD(1)),
    \`timestamp\` DateTime64(3, 'UTC') MATERIALIZED if(
        ifNull(event_time BETWEEN now64(3, 'UTC') - INTERVAL 30 DAY AND now64(3, 'UTC') + INTERVAL 2 DAY, 0),
        assumeNotNull(event_time), now64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    ${fieldColumns.map(definitionOf).join(",\n    ")},
    INDEX \`source_ip_index\` \`source_ip\` TYPE bloom_filter GRANULARITY 4,
    INDEX \`community_id_index\` \`community_id\` TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(\`timestamp\`)
ORDER BY (toStartOfHour(\`timestamp\`), \`sensor\`, \`timestamp\`)
TTL toDateTime(\`timestamp\`) + INTERVAL 180 DAY
${deduplication}`;
}

/**
 * The statements that add columns to a table of an older Loom. ClickHouse computes them for the existing rows whenever they
 * are read, until MATERIALIZE COLUMN has stored them.
 * @param names of fieldColumns
 */
export function addColumnStatements(name: TableName, names: readonly string[]): string[] {
  const missing = fieldColumns.filter((column) => names.includes(column.name));
  if (missing.length === 0) return [];
  const additions = missing.map((column) => `ADD COLUMN IF NOT EXISTS ${definitionOf(column)}`);
  const stored = missing.map((column) => `MATERIALIZE COLUMN \`${column.name}\``);
  return [additions, stored].map(
    (actions) => `ALTER TABLE ${quoteTable(name)}\n    ${actions.join(",\n    ")}`,
  );
}

/** The columns that a table of Loom 0.1 lacks. */
const newerColumns = ["path", "user_agent", "ja4", "ja4h", "hassh", "community_id", "tags", "payload"];

/** What `loom schema clickhouse` prints: comments for people, and SQL that clickhouse-client accepts as it is. */
export function schemaText(name: TableName): string {
  return `-- The table for ClickHouse 23.8 and newer. Loom writes only \`event\`, the document byte for byte. ClickHouse computes
-- the other columns from it, and you may change them.
-- source_ip contains IPv4 addresses as ::ffff:192.0.2.1, and :: for text that is not an address. timestamp is the
-- event's @timestamp, or the time of arrival if @timestamp is more than 30 days old or 2 days ahead. event_time is always
-- the event's @timestamp. Rows are deleted after 180 days. The deduplication window drops a batch that is sent twice after
-- a lost answer; Replicated tables have their own window.
${modernTable(name)};

-- A table of Loom 0.1 gets the columns that it lacks, so that searches need not read whole events, by:
${addColumnStatements(name, newerColumns).map(commented).join("\n")}

-- The smallest table that Loom can use, also for servers before 23.8 (18.16 is the oldest that was tested). From 22.2 on,
-- add "${deduplication}":
-- ${minimalTable(name)};
`;
}

function commented(statement: string): string {
  return `${statement};`.replace(/^/gm, "-- ");
}
