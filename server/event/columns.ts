import { addressKey } from "../address-key.ts";
import { credentialsOf } from "./credentials.ts";
import type { EventFields } from "./event-fields.ts";
import { payloadIdentity } from "./payload-identity.ts";

/*
 * The columns of an event: the fields by which events are searched, counted and listed. The store and the tables of
 * databases have a column for each, and the query language a name.
 */

/** Of the values: "address" is an IP address as a key (address-key.ts). */
export type ColumnKind = "number" | "text" | "address";

export const columnNames = [
  "sensor",
  "ip",
  "asn",
  "country",
  "port",
  "path",
  "user_agent",
  "ja4",
  "ja4h",
  "hassh",
  "community_id",
  "payload",
  "user",
  "password",
  "tags",
] as const;
export type ColumnName = (typeof columnNames)[number];

export interface Column {
  readonly kind: ColumnKind;
  /** The ECS field that the values are from, or what they are. */
  readonly field: string;
}

export const columns: Readonly<Record<ColumnName, Column>> = {
  sensor: { kind: "text", field: "the sensor that the token belongs to" },
  ip: { kind: "address", field: "source.ip" },
  asn: { kind: "number", field: "source.as.number" },
  country: { kind: "text", field: "source.geo.country_iso_code" },
  port: { kind: "number", field: "destination.port" },
  path: { kind: "text", field: "url.path" },
  user_agent: { kind: "text", field: "user_agent.original" },
  ja4: { kind: "text", field: "tls.client.hash.ja4" },
  ja4h: { kind: "text", field: "http.request.hash.ja4h" },
  hassh: { kind: "text", field: "ssh.client.hash.hassh" },
  community_id: { kind: "text", field: "network.community_id" },
  payload: { kind: "text", field: "the identity of the payload (event/payload-identity.ts)" },
  user: { kind: "text", field: "the user name in the payload or the event" },
  password: { kind: "text", field: "the password in the payload or the event" },
  tags: { kind: "text", field: "tags, sorted, separated by line feeds" },
};

export type ColumnValues = Readonly<Record<ColumnName, string | number | undefined>>;

/**
 * The values of an event, undefined where it has none.
 * @param fields as fieldsOf(document) returns them
 * @param payload as payloadOf(document) returns it
 */
export function columnValuesOf(
  sensorId: string,
  document: unknown,
  fields: EventFields,
  payload: Uint8Array | undefined,
): ColumnValues {
  const credentials = credentialsOf(document, payload);
  return {
    sensor: sensorId,
    ip: fields.address === undefined ? undefined : addressKey(fields.address),
    asn: fields.asNumber,
    country: fields.countryIsoCode,
    port: fields.port,
    path: fields.path,
    user_agent: fields.userAgent,
    ja4: fields.ja4,
    ja4h: fields.ja4h,
    hassh: fields.hassh,
    community_id: fields.communityId,
    payload: payload && payloadIdentity(payload),
    user: credentials?.user,
    password: credentials?.password,
    tags: fields.tags,
  };
}
