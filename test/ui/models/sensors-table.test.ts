import { describe, expect, test } from "bun:test";
import type { SensorAnswer } from "../../../server/management/api/answers.ts";
import { RowCache } from "../../../ui/models/row-cache.ts";
import {
  refusedOf,
  rowsAtFirst,
  type SensorColumn,
  SensorsTable,
  selectSensors,
  sortDirection,
} from "../../../ui/models/sensors-table.ts";

const noTotals: SensorAnswer["totals"] = {
  keptEvents: 0,
  keptBatches: 0,
  ignoredEvents: 0,
  bodyBytes: 0,
  refusedRequests: {},
  refusedEvents: {},
  isRefusedEstimate: false,
};
const withTotals = (totals: Partial<SensorAnswer["totals"]>) => ({ totals: { ...noTotals, ...totals } });

function sensorWith(id: string, changes: Partial<SensorAnswer> = {}): SensorAnswer {
  return {
    id,
    state: "reporting",
    note: "",
    loss: null,
    isConfigured: true,
    lastBatchAt: null,
    usualGapMs: null,
    perSecond: { minute: 0, fiveMinutes: 0, hour: 0 },
    sparkline: [],
    totals: noTotals,
    firstBatchAt: null,
    keptEvents: 0,
    keptBatches: 0,
    ignoredEvents: 0,
    bodyBytes: 0,
    refusedRequests: {},
    refusedEvents: {},
    isRefusedEstimate: false,
    lastRefusal: null,
    claimedRefusals: 0,
    claimedEvents: 0,
    clockBehindSeconds: null,
    isClockOff: false,
    ...changes,
  };
}

const idsOf = (sensors: readonly SensorAnswer[]) => sensors.map(({ id }) => id);
const everything = { text: "", condition: undefined, sort: { column: "id", isReversed: false } } as const;

function sortedBy(column: SensorColumn, sensors: readonly SensorAnswer[], isReversed = false): string[] {
  return idsOf(selectSensors(sensors, { ...everything, sort: { column, isReversed } }));
}

describe("the order of sensors", () => {
  test("by id counts numbers as numbers", () => {
    expect(sortedBy("id", [sensorWith("vps-10"), sensorWith("vps-9")])).toEqual(["vps-9", "vps-10"]);
  });

  test("by state has those first that need attention, and equal ones by id", () => {
    const sensors = (["never_seen", "reporting", "quiet", "silent", "losing", "refused"] as const).flatMap(
      (state) => [sensorWith(`${state} b`, { state }), sensorWith(`${state} a`, { state })],
    );
    expect(sortedBy("state", sensors)).toEqual(
      ["refused", "losing", "silent", "quiet", "reporting", "never_seen"].flatMap((state) => [
        `${state} a`,
        `${state} b`,
      ]),
    );
  });

  test("by the last batch has the latest first and sensors without one last", () => {
    const sensors = [
      sensorWith("never"),
      sensorWith("old", { lastBatchAt: 1 }),
      sensorWith("new", { lastBatchAt: 2 }),
    ];
    expect(sortedBy("last", sensors)).toEqual(["new", "old", "never"]);
  });

  for (const [column, few, many] of [
    [
      "minute",
      { perSecond: { minute: 1, fiveMinutes: 9, hour: 9 } },
      { perSecond: { minute: 2, fiveMinutes: 0, hour: 0 } },
    ],
    [
      "fiveMinutes",
      { perSecond: { minute: 9, fiveMinutes: 1, hour: 9 } },
      { perSecond: { minute: 0, fiveMinutes: 2, hour: 0 } },
    ],
    [
      "hour",
      { perSecond: { minute: 9, fiveMinutes: 9, hour: 1 } },
      { perSecond: { minute: 0, fiveMinutes: 0, hour: 2 } },
    ],
    ["events", withTotals({ keptEvents: 9 }), withTotals({ keptEvents: 10 })],
    [
      "refused",
      { claimedEvents: 9 },
      { ...withTotals({ refusedEvents: { unavailable: 5 } }), claimedEvents: 5 },
    ],
    ["clock", { clockBehindSeconds: 9 }, { clockBehindSeconds: -10 }],
  ] as const)
    test(`by ${column} has the highest first, and the lowest when it is reversed`, () => {
      const sensors = [sensorWith("few", few), sensorWith("many", many)];
      expect(sortedBy(column, sensors)).toEqual(["many", "few"]);
      expect(sortedBy(column, sensors, true)).toEqual(["few", "many"]);
    });
});

describe("the selection of sensors", () => {
  const sensors = [
    sensorWith("Frankfurt-1", { state: "quiet" }),
    sensorWith("tokyo-1", { note: "clock of FRANKFURT" }),
    sensorWith("sydney-1", { state: "quiet" }),
  ];

  test("by text looks into id and note, without regard to case and outer spaces", () => {
    expect(idsOf(selectSensors(sensors, { ...everything, text: " frankfurt " }))).toEqual([
      "Frankfurt-1",
      "tokyo-1",
    ]);
  });

  test("by state and text needs both", () => {
    expect(idsOf(selectSensors(sensors, { ...everything, condition: "quiet", text: "fra" }))).toEqual([
      "Frankfurt-1",
    ]);
  });

  test("by a wrong clock has the sensors whose clock is off, whatever their state", () => {
    const off = sensorWith("off", { isClockOff: true, state: "losing" });
    expect(idsOf(selectSensors([...sensors, off], { ...everything, condition: "clock_off" }))).toEqual([
      "off",
    ]);
  });

  test("does not change the answer", () => {
    const before = idsOf(sensors);
    selectSensors(sensors, { ...everything, sort: { column: "id", isReversed: true } });
    expect(idsOf(sensors)).toEqual(before);
  });
});

test("names and states are sorted upwards at first, times and numbers downwards", () => {
  const directionsOf = (isReversed: boolean) =>
    (["id", "state", "last", "events"] as const).map((column) => sortDirection({ column, isReversed }));
  expect(directionsOf(false)).toEqual(["ascending", "ascending", "descending", "descending"]);
  expect(directionsOf(true)).toEqual(["descending", "descending", "ascending", "ascending"]);
});

test("what was refused of a sensor are requests with its token and those that claimed its id, with their events", () => {
  const sensor = sensorWith("a", {
    ...withTotals({ refusedRequests: { x: 2, y: 3 }, refusedEvents: { x: 20, y: 30 } }),
    claimedRefusals: 4,
    claimedEvents: 40,
  });
  expect(refusedOf(sensor)).toEqual({ requests: 9, events: 90, isEstimate: true });
});

describe("the table of sensors", () => {
  test("reverses the order when the same column is chosen again", () => {
    const table = new SensorsTable();
    const sorts = (["events", "events", "events", "id"] as const).map((column) => {
      table.sortBy(column);
      return table.sort.value;
    });
    expect(sorts).toEqual([
      { column: "events", isReversed: false },
      { column: "events", isReversed: true },
      { column: "events", isReversed: false },
      { column: "id", isReversed: false },
    ]);
  });

  test("shows the sensors that match the search", () => {
    const table = new SensorsTable();
    table.search("tok");
    expect(idsOf(table.select([sensorWith("tokyo-1"), sensorWith("lagos-1")], undefined))).toEqual([
      "tokyo-1",
    ]);
  });

  test("draws the first rows again after a search and after a new order", () => {
    const table = new SensorsTable();
    table.showMore();
    expect(table.maxRows.value).toBeGreaterThan(rowsAtFirst);
    table.search("a");
    expect(table.maxRows.value).toBe(rowsAtFirst);
    table.showMore();
    table.sortBy("id");
    expect(table.maxRows.value).toBe(rowsAtFirst);
  });

  test("gives the same object for a sensor that has not changed, and a new one for one that has", () => {
    const table = new SensorsTable();
    table.sortBy("id");
    const answerWith = (keptEvents: number) => [sensorWith("a"), sensorWith("b", { keptEvents })];
    const [a, b] = table.select(answerWith(1), undefined);
    const [sameA, otherB] = table.select(answerWith(2), undefined);
    expect(sameA).toBe(a as SensorAnswer);
    expect(otherB).not.toBe(b as SensorAnswer);
    expect(otherB?.keptEvents).toBe(2);
    expect(table.select(answerWith(2), undefined)[1]).toBe(otherB as SensorAnswer);
  });

  test("does not give a sensor that the latest answer no longer has", () => {
    const table = new SensorsTable();
    table.select([sensorWith("a"), sensorWith("b")], undefined);
    expect(idsOf(table.select([sensorWith("b")], undefined))).toEqual(["b"]);
  });
});

test("a row is built once", () => {
  const built: string[] = [];
  const rows = new RowCache(({ id }: { id: string }) => built.push(id));
  const a = { id: "a" };
  expect([rows.get(a), rows.get(a), rows.get({ id: "a" })]).toEqual([1, 1, 2]);
});
