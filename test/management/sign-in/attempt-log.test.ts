import { expect, jest, test } from "bun:test";
import { createAttemptLog } from "../../../server/management/sign-in/attempt-log.ts";
import { recordingLog } from "../../support/log.ts";

test("the first wrong token is logged at once and the next ones are one line a minute", () => {
  jest.useFakeTimers();
  const log = recordingLog();
  const attempts = createAttemptLog(log);
  for (let i = 0; i < 1001; i++) attempts.noteFailure("192.0.2.1");
  expect(log.lines).toEqual([
    { level: "warn", message: "wrong token at the sign-in", fields: { client: "192.0.2.1" } },
  ]);

  jest.advanceTimersByTime(60_000);
  expect(log.lines[1]).toEqual({
    level: "warn",
    message: "more wrong tokens at the sign-in",
    fields: { count: 1000 },
  });

  jest.advanceTimersByTime(60_000);
  expect(log.lines).toHaveLength(2);
  attempts.noteFailure("192.0.2.2");
  expect(log.lines[2]?.fields).toEqual({ client: "192.0.2.2" });
  attempts.stop();
  jest.useRealTimers();
});

test("attempts that are counted are logged when it stops", () => {
  const log = recordingLog();
  const attempts = createAttemptLog(log);
  for (let i = 0; i < 3; i++) attempts.noteFailure("192.0.2.1");
  attempts.stop();
  expect(log.lines.at(-1)?.fields).toEqual({ count: 2 });
});
