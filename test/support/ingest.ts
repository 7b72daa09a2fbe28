import type { LimitsConfig, SensorCredential } from "../../server/config/config.ts";
import { noConnection } from "../../server/http/connection.ts";
import { createAuthenticator } from "../../server/ingest/authentication.ts";
import { createIngestApp, type IngestOptions } from "../../server/ingest/ingest-app.ts";
import type { RefusedRequest } from "../../server/ingest/refusal.ts";
import type { EnrichedBatch } from "../../server/pipeline.ts";
import { Ledger } from "../../server/telemetry/ledger.ts";

export const sensors: readonly SensorCredential[] = [
  { sensorId: "vps-frankfurt-01", alias: undefined, token: "frankfurt-token" },
  { sensorId: "vps-tokyo-01", alias: "vps_tokyo_01", token: "tokyo-token" },
];

export const defaultLimits: LimitsConfig = {
  maxBodySizeBytes: 2_097_152,
  maxEventsPerBatch: 500,
  maxEventSizeBytes: 131_072,
  perSensorRps: undefined,
  perSensorEventsRps: undefined,
};

/** The ingest app, whose batches are kept in a list. Events are not enriched. */
export function ingestWith(
  options: Partial<Omit<IngestOptions, "limits">> & { limits?: Partial<LimitsConfig> } = {},
) {
  const kept: EnrichedBatch[] = [];
  const refusals: RefusedRequest[] = [];
  const ledger = new Ledger();
  const app = createIngestApp({
    authenticator: createAuthenticator(sensors),
    enrich: (body, events) => ({
      eventCount: events.length,
      lines: Buffer.from(events.map(({ start, end }) => `${body.toString("utf8", start, end)}\n`).join("")),
      matches: [],
    }),
    keep: async (batch) => void kept.push(batch),
    observe: () => {},
    ledger,
    observeDuration: () => {},
    onRefused: (refused) => void refusals.push(refused),
    ...options,
    limits: { ...defaultLimits, ...options.limits },
  });
  const send = async (request: Request, connection = noConnection) => app.handle(request, connection);
  return { app, kept, refusals, ledger, send };
}

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream | null;
  /** null removes a default header. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** A valid request, apart from the parts that are given. */
export function batchRequest({
  method = "POST",
  path = "/api/v1/ingest",
  body,
  headers = {},
}: RequestParts = {}): Request {
  const all: Record<string, string | null> = {
    "content-type": "application/json",
    authorization: "Bearer frankfurt-token",
    ...headers,
  };
  const hasBody = method !== "GET" && method !== "HEAD";
  const content = hasBody ? (body === undefined ? '[{"a":1}]' : body) : null;
  // A Request made by hand has no length of its own, as one from the network has.
  if ((typeof content === "string" || content instanceof Uint8Array) && !("content-length" in all))
    all["content-length"] = String(Buffer.byteLength(content));
  const present = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
  return new Request(`http://loom.example${path}`, { method, headers: present, body: content });
}
