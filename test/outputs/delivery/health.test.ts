import { expect, test } from "bun:test";
import { DeliveryHealth, type Failure } from "../../../server/outputs/delivery/health.ts";
import { recordingLog } from "../../support/log.ts";

const failure: Failure = {
  action: "deliver 5 events to stub",
  reason: "HTTP 503",
  errorClass: "retry",
  isBlocked: false,
  waitMs: 1500,
};

function healthAt() {
  const log = recordingLog();
  const time = { now: 1_000 };
  return { log, time, health: new DeliveryHealth("stub", log, () => time.now) };
}

test("the state since when it fails stays the same over failures of one kind", () => {
  const { health, time } = healthAt();
  health.failed(failure);
  time.now = 5_000;
  health.failed(failure);
  expect(health.state).toMatchObject({ state: "retrying", since: 1_000, failures: 2, nextTryAt: 6_500 });
  health.failed({ ...failure, isBlocked: true });
  expect(health.state).toMatchObject({ state: "holding", since: 5_000, failures: 3 });
});

test("an attempt while failing clears only the time of the next attempt", () => {
  const { health } = healthAt();
  health.failed(failure);
  health.attempting();
  expect(health.state).toMatchObject({ state: "retrying", failures: 1, nextTryAt: undefined });
  expect(health.problem).toBe("stub: HTTP 503");
});

test("a success ends the failure and is logged once; a success without a failure is not", () => {
  const { health, log } = healthAt();
  health.succeeded();
  health.failed(failure);
  health.succeeded();
  health.succeeded();
  expect(health.state).toMatchObject({ state: "delivering", reason: undefined, failures: 0 });
  expect(health.problem).toBeUndefined();
  expect(log.lines.map(({ message }) => message)).toEqual([
    "cannot deliver 5 events to stub: HTTP 503; retrying in 1.5 s",
    "delivering to stub again",
  ]);
});

test("repeated failures are logged once a minute, and a failure that becomes blocked at once", () => {
  const { health, log, time } = healthAt();
  for (let second = 0; second <= 60; second++) {
    time.now = 1_000 + second * 1_000;
    health.failed(failure);
  }
  health.failed({ ...failure, isBlocked: true });
  health.failed({ ...failure, isBlocked: true });
  expect(log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    "warn cannot deliver 5 events to stub: HTTP 503; retrying in 1.5 s",
    "warn still cannot deliver 5 events to stub: HTTP 503; retrying in 1.5 s",
    "error cannot deliver 5 events to stub: HTTP 503; blocked until fixed; trying again in 1.5 s",
  ]);
});

test("a long reason is cut in the state and in the log", () => {
  const { health, log } = healthAt();
  health.failed({ ...failure, reason: "x".repeat(5_000) });
  expect(health.state.reason).toBe(`${"x".repeat(1000)}…`);
  health.noted("rejected", "y".repeat(5_000));
  expect(health.state.lastError?.reason).toBe(`${"y".repeat(1000)}…`);
  expect(log.lines[0]?.message.length).toBeLessThan(1_200);
});

test("a noted error does not change the state", () => {
  const { health } = healthAt();
  health.noted("rejected", "400");
  expect(health.state).toMatchObject({ state: "idle", lastError: { class: "rejected", reason: "400" } });
  expect(health.problem).toBeUndefined();
});
