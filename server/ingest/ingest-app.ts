import { Elysia } from "elysia";
import type { LimitsConfig } from "../config/config.ts";
import { declaredLength, readBody } from "../http/request-body.ts";
import { giveBackLineBuffer } from "../line-buffers.ts";
import { CannotKeep, type EnrichBatch, type KeepBatch, type WatchBatch } from "../pipeline.ts";
import { add, type Ledger, unknownSensorId } from "../telemetry/ledger.ts";
import type { Authenticator } from "./authentication.ts";
import { scanBatch } from "./batch-scanner.ts";
import { type BodiesInFlight, createBodiesInFlight } from "./bodies-in-flight.ts";
import { createRateLimits } from "./rate-limits.ts";
import { type Refusal, refusalResponse, statusOfRefusal } from "./refusal.ts";

export interface IngestOptions {
  readonly limits: LimitsConfig;
  readonly authenticator: Authenticator;
  readonly enrich: EnrichBatch;
  readonly keep: KeepBatch;
  readonly watch: WatchBatch;
  readonly ledger: Ledger;
  readonly observeDuration: (seconds: number) => void;
  readonly logRefusal: (refusal: Refusal, sensorId: string, request: Request) => void;
  /** Told around the reading of a body, so that the listener can bound how long it may take. */
  readonly connection?: { readingBody(request: Request): void; bodyRead(request: Request): void };
  readonly bodiesInFlight?: BodiesInFlight;
}

export const ingestPaths = ["/api/v1/ingest", "/ingest", "/"];

const maxBodyBytesInFlight = 128 * 1024 * 1024;
const maxBodyBytesInFlightPerSensor = 64 * 1024 * 1024;
const unavailableRetryAfterSeconds = 5;

/** The ingest API (contract 2): one batch a request, kept whole and answered 204, or refused and not kept at all. */
export function createIngestApp(options: IngestOptions) {
  const { limits, authenticator, ledger, connection } = options;
  const rateLimits = createRateLimits(limits);
  const bodiesInFlight =
    options.bodiesInFlight ?? createBodiesInFlight(maxBodyBytesInFlight, maxBodyBytesInFlightPerSensor);

  async function receive(request: Request): Promise<Response> {
    const startedAt = performance.now();
    const early = refusalBeforeAuthorization(request);
    const sensorId = early ? undefined : identify(request);
    const refusal =
      early ??
      (sensorId === undefined ? unauthorized(request) : await takeFrom(sensorId, request).catch(defect));
    const countedId = sensorId ?? unknownSensorId;
    const response = refusal ? refuse(refusal, countedId, request) : accept(countedId);
    options.observeDuration((performance.now() - startedAt) / 1000);
    return response;
  }

  function identify(request: Request): string | undefined {
    return authenticator.identify(request.headers.get("authorization"), request.headers.get("x-spip-id"));
  }

  function unauthorized(request: Request): Refusal {
    return {
      code: "unauthorized",
      detail: authenticator.whyUnauthorized(request.headers.get("authorization")),
    };
  }

  function accept(sensorId: string): Response {
    add(ledger.sensor(sensorId).requestsByStatus, 204);
    return new Response(null, { status: 204 });
  }

  /** Every refusal is counted and noted here, and answered as it is counted. */
  function refuse(refusal: Refusal, sensorId: string, request: Request): Response {
    const account = ledger.sensor(sensorId);
    add(account.requestsByStatus, statusOfRefusal[refusal.code]);
    add(account.refusedBatches, refusal.code);
    options.logRefusal(refusal, sensorId, request);
    return refusalResponse(refusal);
  }

  /** Everything from the rate on, for a sensor that is known. Resolves to undefined when the batch is kept. */
  async function takeFrom(sensorId: string, request: Request): Promise<Refusal | undefined> {
    const waitSeconds = rateLimits.takeRequest(sensorId);
    if (waitSeconds > 0) return { code: "rate_limit_exceeded", retryAfterSeconds: waitSeconds };
    const reservedBytes = Math.min(
      declaredLength(request) ?? limits.maxBodySizeBytes,
      limits.maxBodySizeBytes,
    );
    if (!bodiesInFlight.reserve(sensorId, reservedBytes)) return unavailable("too many bodies at once");
    try {
      connection?.readingBody(request);
      const body = await readBody(request, limits.maxBodySizeBytes);
      connection?.bodyRead(request);
      return typeof body === "string" ? { code: body } : await takeBody(sensorId, body);
    } finally {
      bodiesInFlight.release(sensorId, reservedBytes);
    }
  }

  async function takeBody(sensorId: string, body: Buffer): Promise<Refusal | undefined> {
    const account = ledger.sensor(sensorId);
    account.bodyBytes += body.length;
    const events = scanBatch(body, limits);
    if (typeof events === "string") return { code: events };
    rateLimits.chargeEvents(sensorId, events.length);
    try {
      const lines = await options.enrich(body, events);
      const batch = { sensorId, eventCount: events.length, lines };
      await options.keep(batch);
      options.watch(batch);
      // Only now is it sure that nobody reads them any more; refused ones are left to the garbage collector.
      giveBackLineBuffer(lines);
    } catch (error) {
      const refusal = error instanceof CannotKeep ? unavailable(error.reason) : defect(error);
      add(account.refusedEvents, refusal.code, events.length);
      return refusal;
    }
    account.keptEvents += events.length;
    account.lastKeptAt = Date.now();
  }

  const app = new Elysia({ strictPath: true }).onError(({ code, error, request }) =>
    refuse(code === "NOT_FOUND" ? { code: "not_found" } : defect(error), unknownSensorId, request),
  );
  // The body is read by us, once the sensor is known, so Elysia must not parse it.
  for (const path of ingestPaths) app.all(path, ({ request }) => receive(request), { parse: "none" });
  return app;
}

function unavailable(detail: string): Refusal {
  return { code: "unavailable", retryAfterSeconds: unavailableRetryAfterSeconds, detail };
}

function defect(error: unknown): Refusal {
  return { code: "internal_error", detail: `BUG: ${error instanceof Error ? error.stack : error}` };
}

function refusalBeforeAuthorization(request: Request): Refusal | undefined {
  if (request.method !== "POST") return { code: "method_not_allowed" };
  const { headers } = request;
  if (!/^application\/json *(;|$)/i.test(headers.get("content-type") ?? ""))
    return { code: "invalid_content_type" };
  // Sensors never compress, and Bun hands a compressed body over as it is.
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") return { code: "invalid_content_type" };
}
