import { expect, test } from "bun:test";
import { Readiness } from "../../server/management/readiness.ts";

test("the outputs' problems are Loom's, until it shuts down", () => {
  const readiness = new Readiness({ problem: () => "clickhouse: HTTP 503", ingestProblem: () => undefined });
  expect([readiness.problem(), readiness.ingestProblem()]).toEqual(["clickhouse: HTTP 503", undefined]);
  readiness.startShutdown();
  expect([readiness.problem(), readiness.ingestProblem()]).toEqual(["shutting down", "shutting down"]);
});
