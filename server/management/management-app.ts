import { Elysia } from "elysia";
import type { Metrics } from "../telemetry/metrics.ts";

/** A reason why not; undefined when all is well. */
export type Problem = () => string | undefined;

export interface ManagementOptions {
  /** Ingest and every output. */
  readonly problem: Problem;
  /** Ingest and the keeping of batches alone, whatever outputs do behind an outbox. */
  readonly ingestProblem: Problem;
  /** undefined: `observability.metrics_enabled = false`. */
  readonly metrics: Metrics | undefined;
}

/** The management port (contract 6). */
export function createManagementApp({ problem, ingestProblem, metrics }: ManagementOptions) {
  const app = new Elysia({ strictPath: true })
    .onError(({ code }) => (code === "NOT_FOUND" ? text("not found", 404) : text("internal error", 500)))
    .get("/health", () => text("ok"))
    .get("/live", () => text("ok"))
    .get("/ready", () => readiness(problem()))
    .get("/ready/ingest", () => readiness(ingestProblem()));
  if (metrics)
    app.get("/metrics", async () => {
      return new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } });
    });
  return app;
}

function readiness(reason: string | undefined): Response {
  return reason === undefined ? text("ok") : text(reason, 503);
}

function text(body: string, status = 200): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
