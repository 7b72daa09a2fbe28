import { Elysia } from "elysia";
import type { LimitsConfig } from "../config/config.ts";
import { type Connection, type HandleRequest, RequestConnections } from "../http/connection.ts";
import { decompress } from "../http/decompression.ts";
import { hasValidHost } from "../http/host.ts";
import { declaredLength, readBody } from "../http/request-body.ts";
import { giveBackLineBuffer } from "../line-buffers.ts";
import {
  CannotKeep,
  type EnrichBatch,
  type EnrichedEvents,
  type KeepBatch,
  type ObserveBatch,
} from "../pipeline.ts";
import { accepted, type Result, refused } from "../result.ts";
import { add, addKept, type Ledger, unknownSensorId } from "../telemetry/ledger.ts";
import type { Authenticator } from "./authentication.ts";
import { scanBatch, scanLines } from "./batch-scanner.ts";
import { type BodiesInFlight, createBodiesInFlight } from "./bodies-in-flight.ts";
import { bodyFormat } from "./body-format.ts";
import { createEventEstimates } from "./event-estimates.ts";
import { createRateLimits, type RateExcess, type RateLimits } from "./rate-limits.ts";
import type { Refusal, RefusedRequest } from "./refusal.ts";
import { createRefuseRequest, type RefuseRequest } from "./refuse-request.ts";

export interface IngestOptions {
  readonly limits: LimitsConfig;
  readonly authenticator: Authenticator;
  readonly enrich: EnrichBatch;
  readonly keep: KeepBatch;
  readonly observe: ObserveBatch;
  readonly ledger: Ledger;
  readonly observeDuration: (seconds: number) => void;
  /** Called once for each refused request. */
  readonly onRefused: (refused: RefusedRequest) => void;
  readonly bodiesInFlight?: BodiesInFlight;
}

export interface IngestApp {
  readonly handle: HandleRequest;
}

export const ingestPaths = ["/api/v1/ingest", "/ingest", "/"];

const maxBodyBytesInFlight = 128 * 1024 * 1024;
const maxBodyBytesInFlightPerSensor = 64 * 1024 * 1024;
const invalidHost: Refusal = {
  code: "invalid_request",
  detail: "the request has several Host headers, or one that is not a host and a port",
};
const unavailableRetryAfterSeconds = 5;
/** Twice as long as a sensor waits for its answer. A body that arrives faster than 16 KB/s may take longer. */
const bodyTimeoutSeconds = 30;

/**
 * The ingest API (docs/ingest-api.md): a request holds one batch, which is kept whole and answered 204, or refused, and then
 * nothing of it is kept.
 */
export function createIngestApp(options: IngestOptions): IngestApp {
  const ingest = new Ingest(options);
  const connections = new RequestConnections();
  const app = new Elysia({ strictPath: true }).onError(({ code, error, request }) => {
    const refusal: Refusal = code === "NOT_FOUND" ? { code: "not_found" } : defect(error);
    return ingest.refuse(refusal, unknownSensorId, request, connections.get(request));
  });
  // Ingest reads the body itself, after it knows the sensor, so Elysia must not parse it.
  for (const path of ingestPaths)
    app.all(path, ({ request }) => ingest.receive(request, connections.get(request)), { parse: "none" });
  return {
    handle(request, connection) {
      if (!hasValidHost(request)) return ingest.refuse(invalidHost, unknownSensorId, request, connection);
      connections.set(request, connection);
      return app.handle(request);
    },
  };
}

class Ingest {
  readonly #options: IngestOptions;
  readonly #rateLimits: RateLimits;
  readonly #bodiesInFlight: BodiesInFlight;
  readonly #estimates = createEventEstimates();
  readonly refuse: RefuseRequest;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.refuse = createRefuseRequest({ ...options, estimates: this.#estimates });
    this.#rateLimits = createRateLimits(options.limits);
    this.#bodiesInFlight =
      options.bodiesInFlight ?? createBodiesInFlight(maxBodyBytesInFlight, maxBodyBytesInFlightPerSensor);
  }

  /** Answers one request on an ingest path. */
  async receive(request: Request, connection: Connection): Promise<Response> {
    const startedAt = performance.now();
    const sensor = this.#identify(request);
    const sensorId = sensor.kind === "accepted" ? sensor.value : unknownSensorId;
    const taken =
      sensor.kind === "accepted"
        ? await this.#takeFrom(sensorId, request, connection).catch((error) => refused(defect(error)))
        : sensor;
    const response =
      taken.kind === "accepted"
        ? this.#accept(sensorId)
        : this.refuse(taken.refusal, sensorId, request, connection);
    this.#options.observeDuration((performance.now() - startedAt) / 1000);
    return response;
  }

  #accept(sensorId: string): Response {
    add(this.#options.ledger.sensor(sensorId).requestsByStatus, 204);
    return new Response(null, { status: 204 });
  }

  /** @returns the id of the sensor that the request is from */
  #identify(request: Request): Result<string, Refusal> {
    if (request.method !== "POST") return refused({ code: "method_not_allowed" });
    const { authenticator } = this.#options;
    const authorization = request.headers.get("authorization");
    const sensorId = authenticator.identify(authorization, request.headers.get("x-spip-id"));
    if (sensorId !== undefined) return accepted(sensorId);
    return refused({ code: "unauthorized", detail: authenticator.whyUnauthorized(authorization) });
  }

  /** Takes a request of a known sensor. Its batch is kept when this resolves to an accepted result. */
  async #takeFrom(
    sensorId: string,
    request: Request,
    connection: Connection,
  ): Promise<Result<void, Refusal>> {
    const { maxBodySizeBytes } = this.#options.limits;
    const format = bodyFormat(request);
    if (format.kind === "refused") return format;
    const { coding, isLines } = format.value;
    const excess = this.#rateLimits.takeRequest(sensorId);
    if (excess) return refused(overRate(excess));
    const bodyBytes = Math.min(declaredLength(request) ?? maxBodySizeBytes, maxBodySizeBytes);
    // A compressed body may become as large as the limit allows, and decompression joins its output from pieces.
    let reservedBytes = coding ? bodyBytes + 2 * maxBodySizeBytes : bodyBytes;
    if (!this.#bodiesInFlight.reserve(sensorId, reservedBytes))
      return refused(unavailable("too many bodies at once"));
    try {
      connection.limitTime(bodyTimeoutSeconds);
      const body = await readBody(request, maxBodySizeBytes);
      connection.limitTime(undefined);
      if (body.kind === "refused") return refused({ code: body.refusal });
      this.#options.ledger.sensor(sensorId).bodyBytes += body.value.length;
      const receivedBytes = body.value.length;
      if (!coding) return await this.#takeBody(sensorId, body.value, isLines, receivedBytes);
      const plain = await decompress(body.value, coding, maxBodySizeBytes);
      if (plain.kind === "refused") return refused({ code: plain.refusal });
      this.#bodiesInFlight.release(sensorId, reservedBytes - plain.value.length);
      reservedBytes = plain.value.length;
      return await this.#takeBody(sensorId, plain.value, isLines, receivedBytes);
    } finally {
      this.#bodiesInFlight.release(sensorId, reservedBytes);
    }
  }

  /** @param receivedBytes the length of the body as it was received, compressed or not */
  async #takeBody(
    sensorId: string,
    body: Buffer,
    isLines: boolean,
    receivedBytes: number,
  ): Promise<Result<void, Refusal>> {
    const { limits, ledger, enrich, keep, observe } = this.#options;
    const account = ledger.sensor(sensorId);
    const scan = isLines ? scanLines(body, limits) : scanBatch(body, limits);
    if (scan.kind === "refused") return refused({ code: scan.refusal });
    const events = scan.value;
    this.#rateLimits.chargeEvents(sensorId, events.length);
    let enriched: EnrichedEvents;
    try {
      enriched = await enrich(body, events);
      const { eventCount, lines } = enriched;
      const batch = { sensorId, eventCount, lines };
      await keep(batch);
      observe(batch, events.length - eventCount);
      // Only now nothing reads them any more. The lines of a refused batch are left to the garbage collector.
      giveBackLineBuffer(lines);
    } catch (error) {
      const refusal = error instanceof CannotKeep ? unavailable(error.reason) : defect(error);
      return refused({ ...refusal, events: events.length });
    }
    this.#estimates.note(sensorId, receivedBytes, events.length);
    addKept(account, enriched.eventCount, enriched.matches);
    return accepted(undefined);
  }
}

function overRate({ waitSeconds, detail }: RateExcess): Refusal {
  return { code: "rate_limit_exceeded", retryAfterSeconds: waitSeconds, detail };
}

function unavailable(detail: string): Refusal {
  return { code: "unavailable", retryAfterSeconds: unavailableRetryAfterSeconds, detail };
}

function defect(error: unknown): Refusal {
  return { code: "internal_error", detail: `BUG: ${error instanceof Error ? error.stack : error}` };
}
