import { expect, test } from "bun:test";
import { awayAfterUnanswered, probeIntervalMs, ResolverHealth } from "../../server/enrich/resolver-health.ts";
import { recordingLog } from "../support/log.ts";

function healthOf() {
  const clock = { nowMs: 5000 };
  const log = recordingLog();
  const health = new ResolverHealth("192.0.2.53:53", log, () => clock.nowMs);
  const leaveUnanswered = (questions: number) => {
    for (let i = 0; i < questions; i++) {
      health.noteAsked();
      health.noteUnanswered();
    }
  };
  return { clock, log, health, leaveUnanswered };
}

test("a resolver is away after as many consecutive questions without an answer as the bound says", () => {
  const { health, leaveUnanswered } = healthOf();
  leaveUnanswered(awayAfterUnanswered - 1);
  expect([health.isAway, health.mayAsk]).toEqual([false, true]);
  leaveUnanswered(1);
  expect([health.isAway, health.mayAsk]).toEqual([true, false]);
});

test("an answer starts the count again", () => {
  const { health, leaveUnanswered } = healthOf();
  leaveUnanswered(awayAfterUnanswered - 1);
  health.noteAnswered();
  leaveUnanswered(awayAfterUnanswered - 1);
  expect(health.isAway).toBe(false);
});

test("a resolver that is away may be asked once per interval", () => {
  const { clock, health, leaveUnanswered } = healthOf();
  leaveUnanswered(awayAfterUnanswered);
  clock.nowMs += probeIntervalMs - 1;
  expect(health.mayAsk).toBe(false);
  clock.nowMs += 1;
  expect(health.mayAsk).toBe(true);
  health.noteAsked();
  expect(health.mayAsk).toBe(false);
});

test("going away and coming back are logged once each, with the resolver", () => {
  const { log, health, leaveUnanswered } = healthOf();
  health.noteAnswered();
  leaveUnanswered(awayAfterUnanswered + 3);
  health.noteAnswered();
  health.noteAnswered();
  expect(log.lines.map(({ level, fields }) => ({ level, fields }))).toEqual([
    { level: "warn", fields: { resolver: "192.0.2.53:53", unanswered: awayAfterUnanswered } },
    { level: "info", fields: { resolver: "192.0.2.53:53" } },
  ]);
  expect(health.isAway).toBe(false);
});
