import { Elysia } from "elysia";
import { bearerToken } from "../http/bearer-token.ts";
import type { MetricRegistry } from "../telemetry/metric-registry.ts";
import { createSecretCheck } from "./sign-in/secret.ts";
import { textAnswer } from "./text-answer.ts";

/** Why something does not work; undefined if it works. */
export type Problem = () => string | undefined;

type MetricsText = Pick<MetricRegistry, "text" | "contentType">;

export interface HealthOptions {
  /** About ingest and every output. */
  readonly problem: Problem;
  /** Only about receiving and keeping batches; an output behind an outbox does not count. */
  readonly ingestProblem: Problem;
  /** undefined: `observability.metrics_enabled = false`. */
  readonly metrics: MetricsText | undefined;
  /** The Bearer token that `/metrics` requires; undefined: it requires none. */
  readonly metricsToken: string | undefined;
}

/** The paths for load balancers, which may use any name for Loom. The answers say nothing that a hostile page could use. */
export const probePaths = ["/health", "/live", "/ready", "/ready/ingest"] as const;

/** The paths that need no session. */
export const healthPaths = [...probePaths, "/metrics"] as const;

/** The routes for load balancers and Prometheus, which do not sign in. */
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

/** RFC 9110 11.6.1: a 401 answer names the authentication scheme. */
function unauthorized(): Response {
  const answer = textAnswer("unauthorized", 401);
  answer.headers.set("www-authenticate", "Bearer");
  return answer;
}
