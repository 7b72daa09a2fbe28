import { expect, test } from "bun:test";
import { outcomeOfFailure } from "../../../server/outputs/http/failure.ts";

test("a failure that lasts blocks the delivery, another one is retried", () => {
  expect(outcomeOfFailure({ kind: "failed", reason: "x", isLasting: true })).toEqual({
    kind: "hold",
    reason: "x",
  });
  expect(outcomeOfFailure({ kind: "failed", reason: "x", isLasting: false })).toEqual({
    kind: "retry",
    reason: "x",
  });
});
