import { expect, jest, test } from "bun:test";
import { startHistory } from "../../../server/monitoring/history/history.ts";
import { add, Ledger } from "../../../server/telemetry/ledger.ts";
import { chronicleOf, createWoundClock } from "../../support/wound-clock.ts";

test("events and refusals of all sensors are read from the ledger", () => {
  const clock = createWoundClock();
  const ledger = new Ledger();
  const history = startHistory({ ledger, chronicle: chronicleOf(clock) });
  ledger.sensor("a").keptEvents = 30;
  ledger.sensor("b").keptEvents = 10;
  add(ledger.sensor("b").refusedBatches, "invalid_request", 2);
  add(ledger.sensor("unknown").refusedBatches, "unauthorized", 3);
  clock.advance(10_000);
  expect(history.kept.lastHour().values.at(-1)).toBe(40);
  expect(history.refused.lastHour().values.at(-1)).toBe(5);
  history.stop();
});

test("a new sensor has a history from its first batch on, without a request for it", () => {
  const clock = createWoundClock();
  const ledger = new Ledger();
  const history = startHistory({ ledger, chronicle: chronicleOf(clock) });
  clock.advance(10_000);
  history.kept.lastHour();
  ledger.sensor("late").keptEvents = 50;
  clock.advance(10_000);
  history.kept.lastHour();
  ledger.sensor("late").keptEvents = 60;
  clock.advance(10_000);
  expect(history.sensor("late").lastHour().values.slice(-4)).toEqual([null, 0, 50, 10]);
  history.stop();
});

test("a sensor that was never seen has an empty history, and no entry in the ledger", () => {
  const ledger = new Ledger();
  const history = startHistory({ ledger, chronicle: chronicleOf(createWoundClock()) });
  expect(history.sensor("never").perSecond(60_000)).toBe(0);
  expect(ledger.sensors.has("never")).toBe(false);
  history.stop();
});

test("a sensor and another counter with the same name have separate histories", () => {
  const ledger = new Ledger();
  const history = startHistory({ ledger, chronicle: chronicleOf(createWoundClock()) });
  expect(history.track("kept", () => 7)).not.toBe(history.kept);
  expect(history.sensor("kept")).not.toBe(history.kept);
  history.stop();
});

test("the timer samples every 10 seconds until it is stopped", () => {
  jest.useFakeTimers();
  let samples = 0;
  const history = startHistory({ ledger: new Ledger(), onSample: () => samples++ });
  jest.advanceTimersByTime(35_000);
  expect(samples).toBe(3);
  history.stop();
  jest.advanceTimersByTime(60_000);
  expect(samples).toBe(3);
  jest.useRealTimers();
});
