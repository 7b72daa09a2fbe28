import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import type { TailCounts } from "../../../server/management/api/answers.ts";
import { maxRows, Tail } from "../../../ui/models/tail.ts";
import { parseArrival, type TailArrival, type TailListener } from "../../../ui/models/tail-connection.ts";

/** A tail with a connection that the test controls. */
function tailUnderTest() {
  const opened: { query: string; listener: TailListener; isClosed: boolean }[] = [];
  const tail = new Tail((query, listener) => {
    const connection = { query, listener, isClosed: false };
    opened.push(connection);
    return () => {
      connection.isClosed = true;
    };
  });
  let number = 0;
  const arrivals = (count: number, port = 23): TailArrival[] =>
    Array.from({ length: count }, () => {
      number++;
      const raw = `{"destination":{"port":${port}},"n":${number}}`;
      return { number, receivedAt: number, sensorId: "vps-1", raw, document: JSON.parse(raw) };
    });
  const listener = () => opened.at(-1)?.listener as TailListener;
  const counts = (matched: number, more: Partial<TailCounts> = {}): TailCounts => ({
    kept: matched,
    unexamined: 0,
    missed: 0,
    matched,
    ...more,
  });
  const hello = (instance = "a", missed: number | null = null) =>
    listener().hello({ now: 0, instance, startedAt: 0, isResumed: missed !== null, missed });
  return { tail, opened, listener, arrivals, counts, hello };
}

const numbersOf = (tail: Tail) =>
  tail.rows.value.map((row) => (row.kind === "event" ? row.number : row.text));

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe("rows", () => {
  test("have the newest first", () => {
    const { tail, listener, arrivals, counts, hello } = tailUnderTest();
    tail.watch("");
    hello();
    listener().events(counts(3), arrivals(3));
    jest.advanceTimersByTime(1_000);
    expect(numbersOf(tail)).toEqual([3, 2, 1]);
  });

  test("are at most 500, and rows that were shown before count as shown", () => {
    const { tail, listener, arrivals, counts, hello } = tailUnderTest();
    tail.watch("");
    hello();
    for (let i = 0; i < 8; i++) {
      listener().events(counts(100), arrivals(100));
      jest.advanceTimersByTime(1_000);
    }
    expect(tail.rows.value.length).toBe(maxRows);
    expect(tail.counts.value).toMatchObject({ matched: 800, shown: 800, notShown: 0, waiting: 0 });
  });

  test("do not change while the tail is paused, and the latest are added when it resumes", () => {
    const { tail, listener, arrivals, counts, hello } = tailUnderTest();
    tail.watch("");
    hello();
    tail.pause();
    for (let i = 0; i < 6; i++) listener().events(counts(120), arrivals(100));
    jest.advanceTimersByTime(1_000);
    expect(tail.rows.value).toEqual([]);
    expect(tail.counts.value).toMatchObject({ matched: 720, shown: 0, waiting: 500, notShown: 220 });
    tail.resume();
    expect(numbersOf(tail)[0]).toBe(600);
    expect(tail.counts.value).toMatchObject({ matched: 720, shown: 500, waiting: 0, notShown: 220 });
  });

  test("that match a new query stay when it is set, and are not added twice", () => {
    const { tail, opened, listener, arrivals, counts, hello } = tailUnderTest();
    tail.watch("");
    hello();
    const telnet = arrivals(2, 23);
    const ssh = arrivals(2, 22);
    listener().events(counts(4), [...telnet, ...ssh]);
    jest.advanceTimersByTime(1_000);
    tail.watch("port:23");
    expect(opened.map(({ query, isClosed }) => [query, isClosed])).toEqual([
      ["", true],
      ["port:23", false],
    ]);
    expect(numbersOf(tail)).toEqual([2, 1]);
    hello();
    listener().events(counts(2), telnet);
    jest.advanceTimersByTime(1_000);
    expect(numbersOf(tail)).toEqual([2, 1]);
  });

  test("stay if all that a query may name shows that they match", () => {
    for (const [query, expected] of [
      ["-port:22", [2, 1]],
      ["sensor:vps-* port:22-23", [4, 3, 2, 1]],
      ["anything", []],
      ["-user:root", [4, 3, 2, 1]],
      ["port:", []],
    ] as const) {
      const { tail, listener, arrivals, counts, hello } = tailUnderTest();
      tail.watch("");
      hello();
      listener().events(counts(4), [...arrivals(2, 23), ...arrivals(2, 22)]);
      jest.advanceTimersByTime(1_000);
      tail.watch(query);
      expect<unknown>([query, numbersOf(tail)]).toEqual([query, expected]);
    }
  });
});

describe("the counts on the page", () => {
  test("always add up", () => {
    const { tail, listener, arrivals, counts, hello } = tailUnderTest();
    const faults: unknown[] = [];
    tail.counts.subscribe((now) => {
      if (now.matched !== now.shown + now.waiting + now.notShown) faults.push(now);
    });
    tail.watch("");
    hello();
    for (let i = 0; i < 40; i++) {
      listener().events(counts(150, { kept: 200, unexamined: 50 }), arrivals(100));
      if (i % 7 === 0) tail.togglePause();
      jest.advanceTimersByTime(90);
    }
    if (tail.isPaused.value) tail.resume();
    jest.advanceTimersByTime(1_000);
    expect(faults).toEqual([]);
    expect(tail.counts.value).toMatchObject({ kept: 8_000, unexamined: 2_000, matched: 6_000, waiting: 0 });
  });
});

describe("a gap", () => {
  test("is shown between the events before and after a reconnect", () => {
    const { tail, listener, arrivals, counts, hello } = tailUnderTest();
    tail.watch("");
    hello();
    listener().events(counts(2), arrivals(2));
    hello("a", 1234);
    listener().events(counts(1), arrivals(1));
    jest.advanceTimersByTime(1_000);
    expect(numbersOf(tail)).toEqual([3, expect.stringContaining("1,234 events"), 2, 1]);
    expect(tail.counts.value).toMatchObject({ kept: 1_237, missed: 1_234, matched: 3, shown: 3 });
  });

  test("is not shown after a reconnect that missed no events", () => {
    const { tail, listener, arrivals, counts, hello } = tailUnderTest();
    tail.watch("");
    hello();
    listener().events(counts(1), arrivals(1));
    hello("a", 0);
    listener().events(counts(1), arrivals(1));
    jest.advanceTimersByTime(1_000);
    expect(numbersOf(tail)).toEqual([2, 1]);
  });

  test("is of unknown size after Loom was killed", () => {
    const { tail, hello } = tailUnderTest();
    tail.watch("");
    hello("a");
    hello("b");
    jest.advanceTimersByTime(1_000);
    expect(numbersOf(tail)).toEqual([expect.stringContaining("it is not known how many")]);
  });

  test("has no missing events after an orderly restart of Loom, whose numbers start again", () => {
    const { tail, listener, arrivals, counts, hello } = tailUnderTest();
    tail.watch("");
    hello("a");
    const [first, second] = arrivals(2);
    if (!first || !second) throw new Error("no arrivals");
    listener().events(counts(2), [first, second]);
    listener().bye({ reason: "stopping" });
    hello("b");
    listener().events(counts(1), [{ ...first, raw: "{}", document: {} }]);
    jest.advanceTimersByTime(1_000);
    expect(numbersOf(tail)).toEqual([1, expect.stringContaining("no events are missing"), 2, 1]);
  });
});

describe("a line of the tail", () => {
  test("gives the document's text unchanged", () => {
    const raw = '{"n":18446744073709551615,"document":{"a":"\\u003c"}}';
    const line = `{"number":7,"receivedAt":12,"sensorId":"vps-1","document":${raw}}`;
    expect(parseArrival(line)).toMatchObject({ number: 7, receivedAt: 12, sensorId: "vps-1", raw });
  });
});
