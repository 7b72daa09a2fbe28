import { Elysia } from "elysia";
import { bearerToken } from "../http/bearer-token.ts";
import type { MetricRegistry } from "../telemetry/metric-registry.ts";
import { createSecretCheck } from "./sign-in/secret.ts";
import { textAnswer } from "./text-answer.ts";

/** A reason why not; undefined when all is well. */
export type Problem = () => string | undefined;

type MetricsText = Pick<MetricRegistry, "text" | "contentType">;

export interface HealthOptions {
  /** Ingest and every output. */
  readonly problem: Problem;
  /** Ingest and the keeping of batches alone, whatever outputs do behind an outbox. */
  readonly ingestProblem: Problem;
  /** undefined: `observability.metrics_enabled = false`. */
  readonly metrics: MetricsText | undefined;
  /** What `/metrics` wants as Bearer token; undefined: it is open. */
  readonly metricsToken: string | undefined;
}

/** Answered for everybody, by the routes below. */
export const healthPaths = ["/health", "/live", "/ready", "/ready/ingest", "/metrics"] as const;

/** For load balancers and Prometheus, which don't sign in. */
export function createHealthRoutes({ problem, ingestProblem, metrics, metricsToken }: HealthOptions) {
  const isMetricsToken = metricsToken === undefined ? undefined : createSecretCheck(metricsToken);
  const isAllowed = ({ headers }: Request) => {
    return !isMetricsToken || isMetricsToken(bearerToken(headers.get("authorization")) ?? "");
  };
  return new Elysia({ strictPath: true })
    .get("/health", () => textAnswer("ok"))
    .get("/live", () => textAnswer("ok"))
    .get("/ready", () => readiness(problem()))
    .get("/ready/ingest", () => readiness(ingestProblem()))
    .get("/metrics", ({ request }) => {
      if (!metrics) return textAnswer("not found", 404);
      return isAllowed(request) ? metricsAnswer(metrics) : unauthorized();
    });
}

function readiness(reason: string | undefined): Response {
  return reason === undefined ? textAnswer("ok") : textAnswer(reason, 503);
}

async function metricsAnswer(metrics: MetricsText): Promise<Response> {
  return new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } });
}

/** RFC 9110 11.6.1: a 401 names the scheme that would do. */
function unauthorized(): Response {
  const answer = textAnswer("unauthorized", 401);
  answer.headers.set("www-authenticate", "Bearer");
  return answer;
}
