/** A column that ClickHouse computes from `event`. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  /** Has a value for any event, so that no event is rejected for its content. */
  readonly expression: string;
  readonly codec?: string;
}

/**
 * The columns of the fields that people search (event/columns.ts), in the order of the table. Texts are cut off and values of
 * unexpected types are left out as event/event-fields.ts does. An event without a value has an empty text, 0, or `::`.
 */
export const fieldColumns: readonly TableColumn[] = [
  {
    name: "sensor",
    type: "LowCardinality(String)",
    expression: "JSONExtractString(event, 'observer', 'id')",
  },
  {
    name: "source_ip",
    type: "IPv6",
    expression: "toIPv6OrDefault(JSONExtractString(event, 'source', 'ip'))",
  },
  {
    name: "country",
    type: "LowCardinality(String)",
    expression: "JSONExtractString(event, 'source', 'geo', 'country_iso_code')",
  },
  { name: "asn", type: "UInt32", expression: number("UInt32", "source", "as", "number") },
  { name: "destination_port", type: "UInt16", expression: number("UInt16", "destination", "port") },
  { name: "path", type: "String", expression: text(256, "url", "path"), codec: "ZSTD(1)" },
  { name: "user_agent", type: "String", expression: text(256, "user_agent", "original"), codec: "ZSTD(1)" },
  fingerprint("ja4", "tls", "client", "hash", "ja4"),
  fingerprint("ja4h", "http", "request", "hash", "ja4h"),
  fingerprint("hassh", "ssh", "client", "hash", "hassh"),
  {
    name: "community_id",
    type: "String",
    expression: text(128, "network", "community_id"),
    codec: "ZSTD(1)",
  },
  {
    name: "tags",
    type: "Array(String)",
    expression: `arraySort(arrayDistinct(arrayFilter(tag -> tag != '', arrayMap(
            tag -> substringUTF8(replaceAll(JSONExtractString(tag), '\\n', ' '), 1, 64),
            arrayFilter(tag -> startsWith(tag, '"'), arraySlice(if(JSONType(event, 'tags') = 'String',
                [JSONExtractRaw(event, 'tags')], JSONExtractArrayRaw(event, 'tags')), 1, 32))))))`,
    codec: "ZSTD(1)",
  },
  {
    name: "payload",
    type: "String",
    expression: `if(
            length(${payloadHex()}) % 2 = 0 AND NOT match(${payloadHex()}, '[^0-9a-fA-F]'),
            unhex(${payloadHex()}), '')`,
    codec: "ZSTD(3)",
  },
];

/** The definition of a column in `CREATE TABLE` and `ADD COLUMN`. */
export function definitionOf({ name, type, expression, codec }: TableColumn): string {
  const definition = `\`${name}\` ${type} MATERIALIZED ${expression}`;
  return codec === undefined ? definition : `${definition} CODEC(${codec})`;
}

function payloadHex(): string {
  return "JSONExtractString(event, 'event', 'original_payload_hex')";
}

function fingerprint(name: string, ...path: string[]): TableColumn {
  return { name, type: "LowCardinality(String)", expression: text(128, ...path) };
}

/** JSONExtractString alone returns the text of a number, an object or an array. */
function text(maxLength: number, ...path: string[]): string {
  const at = jsonPath(path);
  return `if(JSONType(${at}) = 'String', substringUTF8(JSONExtractString(${at}), 1, ${maxLength}), '')`;
}

/** JSONExtract alone converts texts and booleans. */
function number(type: string, ...path: string[]): string {
  const at = jsonPath(path);
  return `if(JSONType(${at}) IN ('Int64', 'UInt64', 'Double'), JSONExtract(${at}, '${type}'), 0)`;
}

function jsonPath(path: readonly string[]): string {
  return ["event", ...path.map((key) => `'${key}'`)].join(", ");
}
