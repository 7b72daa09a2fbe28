import { isAtLeast, type ServerVersion } from "./server-version.ts";

/** Names that the configuration has checked: letters, digits and `_`. */
export interface TableName {
  readonly database: string;
  readonly table: string;
}

/** The table's name in SQL. */
export function quoteTable({ database, table }: TableName): string {
  return `\`${database}\`.\`${table}\``;
}

/** The statement that makes the table, as good as a server of this version can have it. */
export function createTableStatement(name: TableName, version: ServerVersion): string {
  if (isAtLeast(version, 23, 8)) return modernTable(name);
  // The setting came with 21.x, the token that uses it with 22.2.
  return isAtLeast(version, 22, 2) ? `${minimalTable(name)}\n${deduplication}` : minimalTable(name);
}

/** How many inserts the table remembers: a retry comes before that many others, since Loom sends in order. */
const deduplication = "SETTINGS non_replicated_deduplication_window = 1000";

/** What every server since 18.16 takes, and all that Loom needs. */
export function minimalTable(name: TableName): string {
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(name)} (\`event\` String) ENGINE = MergeTree ORDER BY tuple()`;
}

/**
 * For 23.8 and newer. No event may be refused for what it holds, so every function here has a value for the worst
 * of them. `timestamp` sorts, partitions and expires: a sensor whose clock is wrong must neither open hundreds of
 * partitions in one insert (TOO_MANY_PARTS) nor have its events expire at arrival, so time of arrival stands in for
 * a claim that can't be true; `event_time` keeps the claim.
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
    \`sensor\` LowCardinality(String) MATERIALIZED JSONExtractString(event, 'observer', 'id'),
    \`source_ip\` IPv6 MATERIALIZED toIPv6OrDefault(JSONExtractString(event, 'source', 'ip')),
    \`country\` LowCardinality(String) MATERIALIZED JSONExtractString(event, 'source', 'geo', 'country_iso_code'),
    \`asn\` UInt32 MATERIALIZED JSONExtract(event, 'source', 'as', 'number', 'UInt32'),
    \`destination_port\` UInt16 MATERIALIZED JSONExtract(event, 'destination', 'port', 'UInt16'),
    INDEX \`source_ip_index\` \`source_ip\` TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(\`timestamp\`)
ORDER BY (toStartOfHour(\`timestamp\`), \`sensor\`, \`timestamp\`)
TTL toDateTime(\`timestamp\`) + INTERVAL 180 DAY
${deduplication}`;
}

/** What `loom schema clickhouse` prints: to be read, and to be fed to clickhouse-client as it is. */
export function schemaText(name: TableName): string {
  return `-- The table for ClickHouse 23.8 and newer. Loom itself writes only \`event\`, the document byte for byte; the other
-- columns are made from it by ClickHouse and can be changed as you like.
-- source_ip has IPv4 addresses mapped (::ffff:192.0.2.1) and :: for what is no address. timestamp is the event's
-- @timestamp, or the time of arrival where that is more than 30 days old or 2 days ahead; event_time is the event's
-- own. Rows are deleted after 180 days. The deduplication window drops a batch that is sent twice after a lost answer;
-- Replicated tables have one of their own.
${modernTable(name)};

-- The least that Loom needs, and what servers before 23.8 take (18.16 is the oldest tried; from 22.2 on add
-- "${deduplication}"):
-- ${minimalTable(name)};
`;
}
