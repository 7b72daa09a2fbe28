import { expect, test } from "bun:test";
import { StdoutAccount } from "../../../server/outputs/stdout/stdout-report.ts";

function accountAt(startMs = 1_000_000) {
  const clock = { ms: startMs };
  return { clock, account: new StdoutAccount(() => clock.ms) };
}

test("written events are kept and delivered, and events that are being written are waiting", () => {
  const { clock, account } = accountAt();
  const first = account.begin(3);
  clock.ms += 10;
  account.begin(4);
  account.end(first, true);
  expect(account.report(77)).toMatchObject({
    output: "stdout",
    keptEvents: 3,
    deliveredEvents: 3,
    waitingEvents: 4,
    waitingBytes: 77,
    oldestReceivedAt: 1_000_010,
    lastDeliveredAt: 1_000_010,
  });
});

test("refused events are neither kept nor waiting", () => {
  const { account } = accountAt();
  account.end(account.begin(3), false);
  expect(account.report(0)).toMatchObject({ keptEvents: 0, waitingEvents: 0, lastDeliveredAt: undefined });
});

test("the state is idle at the start, and again one second after the last write", () => {
  const { clock, account } = accountAt();
  expect(account.report(0)).toMatchObject({ state: "idle", since: 1_000_000 });
  clock.ms = 2_000_000;
  account.end(account.begin(1), true);
  clock.ms += 999;
  account.end(account.begin(1), true);
  expect(account.report(0)).toMatchObject({ state: "delivering", since: 2_000_000 });
  clock.ms += 1000;
  expect(account.report(0)).toMatchObject({ state: "idle", since: 2_000_999 });
});

test("while it fails it is blocked, since the first failure of that kind, until it recovers", () => {
  const { clock, account } = accountAt();
  account.failed("disk", "cannot write to stdout: ENOSPC");
  clock.ms += 5000;
  account.failed("disk", "cannot write to stdout: ENOSPC");
  expect(account.report(0)).toMatchObject({
    state: "holding",
    since: 1_000_000,
    reason: "cannot write to stdout: ENOSPC",
    failures: 2,
    nextTryAt: undefined,
    lastError: { class: "disk", reason: "cannot write to stdout: ENOSPC", at: 1_005_000 },
  });
  clock.ms += 5000;
  account.recovered();
  expect(account.report(0)).toMatchObject({
    state: "idle",
    since: 1_010_000,
    reason: undefined,
    failures: 0,
    lastError: { at: 1_005_000 },
  });
});
