import { expect, test } from "bun:test";
import { Readiness } from "../../server/management/readiness.ts";

test("the problems of the outputs are reported until Loom shuts down", () => {
  const readiness = new Readiness({ problem: () => "clickhouse: HTTP 503", ingestProblem: () => undefined });
  expect([readiness.problem(), readiness.ingestProblem()]).toEqual(["clickhouse: HTTP 503", undefined]);
  readiness.startShutdown();
  expect([readiness.problem(), readiness.ingestProblem()]).toEqual(["shutting down", "shutting down"]);
});
