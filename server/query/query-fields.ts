import type { ColumnName } from "../event/columns.ts";

/*
 * The names by which queries call the columns of an event: those of ECS, and short ones.
 */

export interface QueryField {
  readonly column: ColumnName;
  readonly kind: "number" | "text" | "address";
  /** The first one is short, and is what Loom writes itself. */
  readonly names: readonly [string, ...string[]];
}

export const queryFields: readonly QueryField[] = [
  { column: "ip", kind: "address", names: ["ip", "src", "source.ip"] },
  { column: "sensor", kind: "text", names: ["sensor", "observer.id"] },
  { column: "port", kind: "number", names: ["port", "destination.port"] },
  { column: "country", kind: "text", names: ["country", "source.geo.country_iso_code"] },
  { column: "asn", kind: "number", names: ["as", "asn", "source.as.number"] },
  { column: "path", kind: "text", names: ["path", "url.path"] },
  { column: "user_agent", kind: "text", names: ["agent", "ua", "user_agent", "user_agent.original"] },
  { column: "user", kind: "text", names: ["user", "user.name"] },
  { column: "password", kind: "text", names: ["password"] },
  { column: "payload", kind: "text", names: ["payload"] },
  { column: "tags", kind: "text", names: ["tag", "tags"] },
  { column: "ja4", kind: "text", names: ["ja4", "tls.client.hash.ja4"] },
  { column: "ja4h", kind: "text", names: ["ja4h", "http.request.hash.ja4h"] },
  { column: "hassh", kind: "text", names: ["hassh", "ssh.client.hash.hassh"] },
  { column: "community_id", kind: "text", names: ["community_id", "network.community_id"] },
];

/** The bounds of the time at which Loom received an event. They are not columns, and each occurs once. */
export const timeNames = ["since", "until"] as const;
export type TimeName = (typeof timeNames)[number];

/** All names that can stand before a colon; the short ones first. */
export const queryNames: readonly string[] = [
  ...queryFields.map(({ names }) => names[0]),
  ...timeNames,
  ...queryFields.flatMap(({ names }) => names.slice(1)),
];

const fieldsByName = new Map(queryFields.flatMap((field) => field.names.map((name) => [name, field])));
const fieldsByColumn = new Map(queryFields.map((field) => [field.column, field]));

/** @param name in any case; undefined: no field has it */
export function fieldOfName(name: string): QueryField | undefined {
  return fieldsByName.get(name.toLowerCase());
}

/** Whether a name can stand before a colon. */
export function isQueryName(name: string): boolean {
  return fieldOfName(name) !== undefined || isTimeName(name.toLowerCase());
}

export function isTimeName(name: string): name is TimeName {
  return timeNames.some((known) => known === name);
}

/** The name that Loom itself writes for a column. */
export function nameOfColumn(column: ColumnName): string {
  return fieldsByColumn.get(column)?.names[0] ?? column;
}
