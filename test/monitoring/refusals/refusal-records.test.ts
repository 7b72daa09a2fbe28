import { describe, expect, test } from "bun:test";
import type { RefusedRequest } from "../../../server/ingest/refusal.ts";
import { RefusalRecords } from "../../../server/monitoring/refusals/refusal-records.ts";
import { createRandom } from "../../support/random.ts";
import { chronicleOf, createWoundClock } from "../../support/wound-clock.ts";

const configured = new Set(["vps-1", "vps-2"]);

function records() {
  const clock = createWoundClock();
  const refusals = new RefusalRecords({
    claimOf: (id) => ({
      text: id ?? undefined,
      sensorId: id !== null && configured.has(id) ? id : undefined,
    }),
    chronicle: chronicleOf(clock),
  });
  let noted = 0;
  return {
    clock,
    refusals,
    noted: () => noted,
    note(parts: Partial<RefusedRequest> = {}) {
      noted++;
      refusals.note({
        reason: "unauthorized",
        sensorId: "unknown",
        claimedId: null,
        client: "192.0.2.1",
        detail: undefined,
        ...parts,
      });
    },
    explained: () => refusals.groups().reduce((sum, { count }) => sum + count, 0) + refusals.evictedRequests,
  };
}

describe("requests that are refused alike", () => {
  test("are one group with its first time, its last time and the latest detail", () => {
    const { note, refusals, clock } = records();
    const firstAt = clock.now();
    note({ detail: "the request has no Authorization header" });
    clock.advance(5000);
    note({ detail: "the token is not configured" });
    expect(refusals.groups()).toEqual([
      {
        reason: "unauthorized",
        sensorId: undefined,
        claimedText: undefined,
        claimedSensorId: undefined,
        client: "192.0.2.1",
        detail: "the token is not configured",
        firstAt,
        lastAt: firstAt + 5000,
        count: 2,
        events: 0,
        isEstimate: false,
      },
    ]);
    expect(refusals.lastAt).toBe(firstAt + 5000);
  });

  for (const [what, parts] of [
    ["reason", { reason: "invalid_request" }],
    ["sensor", { sensorId: "vps-1" }],
    ["name", { claimedId: "vps-1" }],
    ["client", { client: "192.0.2.2" }],
  ] as const)
    test(`but for the ${what} are two`, () => {
      const { note, refusals } = records();
      note();
      note(parts);
      expect(refusals.groups()).toHaveLength(2);
    });

  test("are listed by their last time", () => {
    const { note, refusals, clock } = records();
    for (const client of ["a", "b", "a"]) {
      clock.advance(1);
      note({ client });
    }
    expect(refusals.groups().map(({ client }) => client)).toEqual(["a", "b"]);
  });
});

describe("a group shows", () => {
  test("the first line of a defect's detail", () => {
    const { note, refusals } = records();
    note({ reason: "internal_error", detail: "BUG: TypeError: x\n    at receive (/srv/loom/ingest.ts:3)" });
    expect(refusals.groups()[0]?.detail).toBe("BUG: TypeError: x");
  });

  test("the beginning of a long detail", () => {
    const { note, refusals } = records();
    note({ detail: "x".repeat(10_000) });
    expect(refusals.groups()[0]?.detail).toHaveLength(300);
  });

  test("the plain address of an IPv4 client", () => {
    const { note, refusals } = records();
    note({ client: "::ffff:192.0.2.9" });
    note({ client: "2001:db8::1" });
    expect(refusals.groups().map(({ client }) => client)).toEqual(["2001:db8::1", "192.0.2.9"]);
  });

  test("no claim for a request with a sensor's token", () => {
    const { note, refusals } = records();
    note({ sensorId: "vps-1", claimedId: "vps-1" });
    expect(refusals.groups()[0]).toMatchObject({ sensorId: "vps-1", claimedText: undefined });
  });
});

describe("a flood", () => {
  test("from unknown clients evicts no group of a sensor, nor of a client that claims to be one", () => {
    const { note, refusals } = records();
    note({ reason: "rate_limit_exceeded", sensorId: "vps-1" });
    note({ claimedId: "vps-2", client: "198.51.100.7" });
    for (let i = 0; i < 5000; i++) note({ client: `2001:db8::${i.toString(16)}`, claimedId: `x${i}` });
    expect(refusals.groupsOf("vps-1")).toHaveLength(1);
    expect(refusals.groupsOf("vps-2")).toHaveLength(1);
    expect(refusals.groups().length).toBeLessThanOrEqual(512 + 2);
  });

  test("from one client evicts no group of another client", () => {
    const { note, refusals } = records();
    note({ client: "198.51.100.7" });
    for (let i = 0; i < 5000; i++) note({ claimedId: `x${i}` });
    expect(refusals.groups().filter(({ client }) => client === "198.51.100.7")).toHaveLength(1);
    expect(refusals.groups()).toHaveLength(9);
  });

  test("in the name of one sensor evicts no group of another sensor", () => {
    const { note, refusals } = records();
    note({ claimedId: "vps-2" });
    for (let i = 0; i < 5000; i++) note({ claimedId: "vps-1", client: `2001:db8::${i.toString(16)}` });
    expect(refusals.groupsOf("vps-2")).toHaveLength(1);
    expect(refusals.groupsOf("vps-1")).toHaveLength(16);
    expect(refusals.of("vps-1").unauthorizedClaims).toBe(5000);
  });

  test("with one sensor's token evicts no group of another sensor", () => {
    const { note, refusals } = records();
    note({ sensorId: "vps-2" });
    for (let i = 0; i < 5000; i++) note({ sensorId: "vps-1", client: `2001:db8::${i.toString(16)}` });
    expect(refusals.groupsOf("vps-2")).toHaveLength(1);
    expect(refusals.groupsOf("vps-1")).toHaveLength(32);
  });

  test("evicts the least recently active groups first", () => {
    const { note, refusals } = records();
    for (let i = 0; i < 512; i++) note({ client: `client ${i}` });
    note({ client: "client 0" });
    note({ client: "one more" });
    const clients = refusals.groups().map(({ client }) => client);
    expect(clients).toContain("client 0");
    expect(clients).not.toContain("client 1");
    expect(refusals.evictedRequests).toBe(1);
  });

  test("of any kind is counted completely", () => {
    const { note, noted, explained, refusals } = records();
    const random = createRandom(7);
    for (let i = 0; i < 20_000; i++)
      note({
        reason: random.pick(["unauthorized", "rate_limit_exceeded", "invalid_request"]),
        sensorId: random.pick(["unknown", "unknown", "vps-1", "vps-2"]),
        claimedId: random.pick([null, "vps-1", `x${random.below(2000)}`]),
        client: `client ${random.below(1000)}`,
      });
    expect(explained()).toBe(noted());
    expect(refusals.evictedRequests).toBeGreaterThan(0);
  });
});

describe("of a sensor", () => {
  test("without refusals, there are none", () => {
    const { refusals } = records();
    expect(refusals.of("vps-1")).toEqual({
      lastOwn: undefined,
      lastClaimed: undefined,
      lastUnauthorizedClaim: undefined,
      unauthorizedClaims: 0,
      claimedEvents: 0,
    });
    expect(refusals.groupsOf("vps-1")).toEqual([]);
  });

  test("the last refusal with its token is separate from that of clients that claim to be it", () => {
    const { note, refusals, clock } = records();
    note({ sensorId: "vps-1", reason: "payload_too_large" });
    clock.advance(10);
    note({ claimedId: "vps-1" });
    clock.advance(10);
    note({ claimedId: "vps-1", reason: "invalid_content_type" });
    expect(refusals.of("vps-1")).toMatchObject({
      lastOwn: { reason: "payload_too_large" },
      lastClaimed: { reason: "invalid_content_type", at: clock.now() },
      lastUnauthorizedClaim: { reason: "unauthorized", at: clock.now() - 10 },
      unauthorizedClaims: 1,
    });
    expect(refusals.groupsOf("vps-1").map(({ reason }) => reason)).toEqual([
      "invalid_content_type",
      "unauthorized",
      "payload_too_large",
    ]);
  });
});

describe("a refused request concerns", () => {
  const events = { count: 12, isEstimate: true };
  const countsOf = (refusals: RefusalRecords) =>
    (["own", "claimed", "stranger"] as const).map((kind) => {
      const { requests, events } = refusals.counts(kind).total;
      return [requests, events];
    });

  test("the sensor whose token it has", () => {
    const { note, refusals, clock } = records();
    note({ reason: "rate_limit_exceeded", sensorId: "vps-1", events });
    note({ reason: "unavailable", sensorId: "vps-1", events: { count: 3, isEstimate: false } });
    expect(countsOf(refusals)).toEqual([
      [2, 15],
      [0, 0],
      [0, 0],
    ]);
    expect(refusals.counts("own")).toMatchObject({ total: { isEstimate: true }, lastAt: clock.now() });
    expect(Object.fromEntries(refusals.counts("own").byReason)).toEqual({
      rate_limit_exceeded: { requests: 1, events: 12, isEstimate: true },
      unavailable: { requests: 1, events: 3, isEstimate: false },
    });
  });

  test("that sensor also if it names another one", () => {
    const { note, refusals } = records();
    note({ tokenSensorId: "vps-1", claimedId: "vps-9", events });
    expect(refusals.groupsOf("vps-1")).toMatchObject([
      { sensorId: "vps-1", claimedText: "vps-9", claimedSensorId: undefined, events: 12, isEstimate: true },
    ]);
    expect(refusals.of("vps-1")).toMatchObject({
      lastOwn: { reason: "unauthorized" },
      unauthorizedClaims: 0,
    });
  });

  test("the sensor that it names without its token", () => {
    const { note, refusals } = records();
    note({ claimedId: "vps-2", events });
    expect(countsOf(refusals)).toEqual([
      [0, 0],
      [1, 12],
      [0, 0],
    ]);
    expect(refusals.of("vps-2")).toMatchObject({ unauthorizedClaims: 1, claimedEvents: 12 });
  });

  test("no sensor if it has no token and names none, and its events are not shown", () => {
    const { note, refusals } = records();
    note({ claimedId: "admin", events });
    note({ events });
    expect(countsOf(refusals)).toEqual([
      [0, 0],
      [0, 0],
      [2, 0],
    ]);
    expect(refusals.sensorsConcerned(3_600_000)).toBe(0);
  });

  test("no state of the sensor if its method is wrong, because no batch is lost", () => {
    const { note, refusals } = records();
    note({ reason: "method_not_allowed", tokenSensorId: "vps-1" });
    expect(refusals.of("vps-1").lastOwn).toBeUndefined();
  });
});

test("the sensors with refusals of the last hour are counted", () => {
  const { note, refusals, clock } = records();
  note({ sensorId: "vps-1", reason: "invalid_request" });
  clock.advance(1_800_000);
  note({ claimedId: "vps-2" });
  expect(refusals.sensorsConcerned(3_600_000)).toBe(2);
  clock.advance(1_800_001);
  expect(refusals.sensorsConcerned(3_600_000)).toBe(1);
});
