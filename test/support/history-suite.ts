import { expect, test } from "bun:test";
import { columnNames } from "../../server/event/columns.ts";
import type { HistoryEvent, HistoryReader } from "../../server/history/history-reader.ts";
import type { Query } from "../../server/query/query.ts";
import { type ExaminedEvent, ExhaustiveHistory } from "./exhaustive-history.ts";
import { createRandom } from "./random.ts";

/** What a reader is compared with. */
export interface HistoryUnderTest {
  readonly reader: HistoryReader;
  readonly events: readonly ExaminedEvent[];
}

const noDeadline = { deadlineMs: 60_000 };
const hourMs = 3_600_000;

/** The tests that every reader of a history has to pass: it answers as a search that examines every event. */
export function testsOfHistory(start: () => HistoryUnderTest, queries: readonly Query[]): void {
  const everything = { terms: [], since: undefined, until: undefined };
  const naive = () => new ExhaustiveHistory(start().events);
  const indexed = queries.map((query, index) => ({ query, index }));

  test("every event is found, and its document byte for byte", async () => {
    const { reader, events } = start();
    const found = await allEvents(reader, everything, 500);
    expect(found.map(({ document }) => document).toSorted()).toEqual(
      events.map(({ document }) => document).toSorted(),
    );
    const times = found.map(({ receivedAt }) => receivedAt);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  test("random queries are counted as by a search that examines every event", async () => {
    const { reader } = start();
    const wrong: unknown[] = [];
    for (const { query, index } of indexed) {
      const { events, isComplete } = await reader.count(query, noDeadline);
      const expected = naive().matching(query).length;
      if (events !== expected || !isComplete) wrong.push({ index, events, expected, query });
    }
    expect(wrong).toEqual([]);
  });

  test("the pages of random queries have each matching event once, in the order of time", async () => {
    const { reader } = start();
    const random = createRandom(7);
    for (const { query, index } of indexed.filter(({ index }) => index % 10 === 0)) {
      const found = await allEvents(reader, query, 3 + random.below(200));
      const times = found.map(({ receivedAt }) => receivedAt);
      expect(times, `query ${index}`).toEqual(times.toSorted((a, b) => b - a));
      expect(found.map(({ document }) => document).toSorted()).toEqual(
        naive()
          .matching(query)
          .map(({ document }) => document)
          .toSorted(),
      );
    }
  });

  test("top lists of every column are equal", async () => {
    const { reader } = start();
    const random = createRandom(11);
    for (const { query, index } of indexed.filter(({ index }) => index % 4 === 1)) {
      const column = columnNames[index % columnNames.length] ?? "ip";
      const limit = random.pick([1, 3, 100]);
      const { values, others, without, distinct } = await reader.top(query, column, limit, noDeadline);
      expect({ column, values, others, without, distinct }, `query ${index}`).toEqual({
        column,
        ...naive().top(query, column, limit),
      });
    }
    for (const column of columnNames) {
      const { values } = await reader.top(everything, column, 5, noDeadline);
      expect([...values]).toEqual(naive().top(everything, column, 5).values);
    }
  });

  test("histograms are equal", async () => {
    const { reader, events } = start();
    const newest = Math.max(...events.map(({ time }) => time));
    const range = { from: newest - 40 * hourMs - 1234, to: newest - hourMs, intervalMs: hourMs };
    for (const { query, index } of indexed.filter(({ index }) => index % 4 === 2)) {
      const { counts } = await reader.histogram(query, range, noDeadline);
      const expected = naive().histogram(query, range.from, range.to, range.intervalMs);
      expect([...counts], `query ${index}`).toEqual(expected);
    }
  });

  test("an export has the matching documents, the oldest first", async () => {
    const { reader } = start();
    for (const { query } of indexed.filter(({ index }) => index % 10 === 3)) {
      const lines = await documentsOf(reader.export(query));
      const expected = naive().matching(query);
      expect(lines.toSorted()).toEqual(expected.map(({ document }) => document).toSorted());
      const timeOf = new Map(expected.map(({ document, time }) => [document, time]));
      const times = lines.map((line) => timeOf.get(line) ?? 0);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  test("an event is found by its id", async () => {
    const { reader } = start();
    const { events } = await reader.events(everything, { limit: 3 });
    for (const event of events) expect(await reader.event(event.id)).toEqual(event);
    expect(await reader.event(`${events[0]?.id}0`)).toBeUndefined();
  });

  test("the coverage names the oldest and the newest event, and their number", async () => {
    const { reader, events } = start();
    const times = events.map(({ time }) => time).toSorted((a, b) => a - b);
    expect(await reader.coverage()).toMatchObject({
      oldest: times[0],
      newest: times.at(-1),
      events: events.length,
      damagedEvents: 0,
    });
  });
}

async function allEvents(reader: HistoryReader, query: Query, limit: number) {
  const first = await reader.events(query, { limit }, noDeadline);
  const found = [...first.events];
  for (let { cursor } = first; cursor !== undefined; ) {
    const page = await reader.events(query, { limit, cursor }, noDeadline);
    // The last page may be empty.
    if (page.events.length === 0) expect(page.cursor).toBeUndefined();
    found.push(...page.events);
    cursor = page.cursor;
  }
  return found;
}

async function documentsOf(pieces: AsyncIterable<readonly HistoryEvent[]>): Promise<string[]> {
  const documents: string[] = [];
  for await (const events of pieces) documents.push(...events.map(({ document }) => document));
  return documents;
}
