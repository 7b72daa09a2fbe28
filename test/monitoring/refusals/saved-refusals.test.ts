import { expect, test } from "bun:test";
import { Chronicle } from "../../../server/monitoring/history/chronicle.ts";
import { startHistory } from "../../../server/monitoring/history/history.ts";
import { refusalKinds } from "../../../server/monitoring/refusals/refusal-counts.ts";
import { trackRefusals } from "../../../server/monitoring/refusals/refusal-history.ts";
import { RefusalRecords } from "../../../server/monitoring/refusals/refusal-records.ts";
import { SavedEntries, type SavedEntry } from "../../../server/monitoring/saved-state/saved-entries.ts";
import { Ledger } from "../../../server/telemetry/ledger.ts";
import { MemoryState } from "../../support/saved-state.ts";
import { createWoundClock } from "../../support/wound-clock.ts";

function recordsOf(saved: SavedEntries, clock = createWoundClock()) {
  const chronicle = new Chronicle({ clock, saved });
  const refusals = new RefusalRecords({
    claimOf: (id) => ({ text: id ?? undefined, sensorId: id?.startsWith("vps") ? id : undefined }),
    chronicle,
    saved,
  });
  const history = startHistory({ ledger: new Ledger(), chronicle, saved });
  const refusalHistory = trackRefusals(history, refusals);
  return {
    ...{ clock, chronicle, refusals, history, refusalHistory },
    /** One request with a token, two that claim an id, and three of strangers. */
    refuseAll() {
      const request = { client: "192.0.2.1", detail: undefined, claimedId: null, sensorId: "unknown" };
      const events = { count: 20, isEstimate: true };
      refusals.note({ ...request, reason: "payload_too_large", sensorId: "vps-1", events });
      for (let i = 0; i < 2; i++)
        refusals.note({ ...request, reason: "unauthorized", claimedId: "vps-1", events });
      for (let i = 0; i < 3; i++) refusals.note({ ...request, reason: "not_found", events });
    },
    changes: [
      chronicle,
      history,
      { changes: () => refusals.sensorChanges() },
      { changes: () => refusals.groupChanges() },
    ],
  };
}

/** What a Loom that starts now reads. */
function savedBy({ changes }: ReturnType<typeof recordsOf>): SavedEntries {
  const state = new MemoryState();
  state.save(...changes);
  return state.saved();
}

const countsOf = ({ refusals }: ReturnType<typeof recordsOf>) =>
  refusalKinds.map((kind) => refusals.counts(kind).total);

test("after a restart, requests and events of sensors are still apart from those of strangers", () => {
  const before = recordsOf(new SavedEntries([]));
  before.refuseAll();
  const after = recordsOf(savedBy(before), before.clock);
  expect(countsOf(after)).toEqual([
    { requests: 1, events: 20, isEstimate: true },
    { requests: 2, events: 40, isEstimate: true },
    { requests: 3, events: 0, isEstimate: false },
  ]);
  for (const kind of refusalKinds) {
    expect(after.refusals.counts(kind).byReason).toEqual(before.refusals.counts(kind).byReason);
    expect(after.refusals.counts(kind).lastAt).toBe(before.clock.now());
  }
  after.refuseAll();
  expect(countsOf(after).map(({ requests, events }) => [requests, events])).toEqual([
    [2, 40],
    [4, 80],
    [6, 0],
  ]);
  expect(after.refusals.groups().map(({ count, events }) => [count, events])).toEqual([
    [6, 0],
    [4, 80],
    [2, 40],
  ]);
  for (const { history } of [before, after]) history.stop();
});

test("requests that were refused before a restart are not refused again by it", () => {
  const before = recordsOf(new SavedEntries([]));
  before.refuseAll();
  before.clock.advance(10_000);
  const after = recordsOf(savedBy(before), before.clock);
  after.clock.advance(10_000);
  expect(after.refusalHistory.lastHour("claimed")).toEqual({ requests: 2, events: 40 });
  after.clock.advance(3_700_000);
  expect(after.refusalHistory.lastHour("claimed")).toEqual({ requests: 0, events: 0 });
  for (const { history } of [before, after]) history.stop();
});

test("counts that did not change are not saved again", () => {
  const records = recordsOf(new SavedEntries([]));
  records.refuseAll();
  expect([...records.refusals.sensorChanges()]).not.toBeEmpty();
  expect([...records.refusals.sensorChanges()]).toBeEmpty();
  const after = recordsOf(savedBy(records), records.clock);
  expect([...after.refusals.sensorChanges()]).toBeEmpty();
  for (const { history } of [records, after]) history.stop();
});

test("of a file without events of refused requests, the groups are read, and the counts are those of the groups", () => {
  const group = (reason: string, parts: object, count: number) => ({
    ...{ reason, client: "192.0.2.1", firstAt: 1, lastAt: 2, count },
    ...parts,
  });
  const entry = (kind: string, owner: string, saved: object): SavedEntry => [
    kind,
    "0000000000",
    JSON.stringify([[owner, saved]]),
  ];
  const after = recordsOf(
    new SavedEntries([
      entry("refusals of known", "vps-1", group("invalid_request", { sensorId: "vps-1" }, 5)),
      entry("refusals of other", "192.0.2.1", group("not_found", {}, 7)),
      ["sensor refusals", "vps-1", '{"unauthorizedClaims":3}'],
    ]),
  );
  expect(countsOf(after).map(({ requests, events }) => [requests, events])).toEqual([
    [5, 0],
    [0, 0],
    [7, 0],
  ]);
  expect(after.refusals.groups()).toMatchObject([
    { count: 7, events: 0, isEstimate: false },
    { count: 5, events: 0, isEstimate: false },
  ]);
  expect(after.refusals.of("vps-1")).toMatchObject({ unauthorizedClaims: 3, claimedEvents: 0 });
  after.history.stop();
});
