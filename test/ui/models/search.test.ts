import { describe, expect, test } from "bun:test";
import type { HistoryEventAnswer, HistoryEventsAnswer } from "../../../server/management/api/answers.ts";
import { ApiError } from "../../../ui/models/api-client.ts";
import { OpenedEvent } from "../../../ui/models/opened-event.ts";
import { exportLink, facetColumns, maxFoundEvents, Search } from "../../../ui/models/search.ts";

interface Request {
  readonly resource: string;
  readonly params: Readonly<Record<string, string>>;
  readonly aborted: AbortSignal | undefined;
  readonly answer: (value: unknown) => Promise<void>;
  readonly fail: (error: unknown) => Promise<void>;
}

/** An API whose requests the test answers. */
function apiUnderTest() {
  const requests: Request[] = [];
  const api = {
    getJson: <Answer>(path: string, aborted?: AbortSignal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const url = new URL(path, "http://loom.example");
      const settle = async () => {
        await promise.catch(() => undefined);
        // What follows the answer is one more promise away.
        for (let i = 0; i < 5; i++) await Promise.resolve();
      };
      requests.push({
        resource: url.pathname.replace("/api/v1/history/", ""),
        params: Object.fromEntries(url.searchParams),
        aborted,
        answer: (value) => {
          resolve(value as Answer);
          return settle();
        },
        fail: (error) => {
          reject(error);
          return settle();
        },
      });
      return promise;
    },
  };
  const last = (): Request => requests.at(-1) ?? expect.unreachable();
  return { api, requests, last, resources: () => requests.map(({ resource }) => resource) };
}

const complete = { time: "received", isComplete: true, searchedBackTo: null, damagedEvents: 0 } as const;

function event(id: number): HistoryEventAnswer {
  return { id: String(id), receivedAt: id, sensorId: "vps-1", document: `{"destination":{"port":${id}}}` };
}

function page(from: number, count: number, cursor: string | null): HistoryEventsAnswer {
  return { ...complete, events: Array.from({ length: count }, (_, i) => event(from - i)), cursor };
}

const idsOf = (search: Search) => search.rows.value.map(({ id }) => Number(id));

describe("a search", () => {
  test("shows events, then asks for their number, histogram and each column's values, one after the other", async () => {
    const { api, requests, last, resources } = apiUnderTest();
    const search = new Search(api);
    void search.search("port:22");
    expect(search.isLoading.value).toBe(true);
    await last().answer(page(3, 3, null));
    expect(idsOf(search)).toEqual([3, 2, 1]);
    expect(search.isLoading.value).toBe(false);
    expect(resources()).toEqual(["events", "count", "histogram"]);
    await requests[1]?.answer({ ...complete, events: 3 });
    await requests[2]?.answer({ ...complete, from: 0, intervalMs: 1_000, counts: [3] });
    expect(search.count.value?.events).toBe(3);
    for (const column of facetColumns) {
      expect(last().params).toEqual({ q: "port:22", by: column, limit: "8" });
      await last().answer({ ...complete, column, values: [], others: 0, without: 3, distinct: 0 });
    }
    expect(Object.keys(search.facets.value)).toEqual([...facetColumns]);
  });

  test("adds older events, until there are none", async () => {
    const { api, last } = apiUnderTest();
    const search = new Search(api);
    void search.search("port:22");
    await last().answer(page(9, 3, "c1"));
    expect(search.hasOlder.value).toBe(true);
    void search.loadOlder();
    expect(last().params).toEqual({ q: "port:22", limit: "100", cursor: "c1" });
    await last().answer(page(6, 2, null));
    expect(idsOf(search)).toEqual([9, 8, 7, 6, 5]);
    expect(search.hasOlder.value).toBe(false);
  });

  test("holds at most 2,000 events", async () => {
    const { api, last, requests } = apiUnderTest();
    const search = new Search(api);
    void search.search("");
    await last().answer(page(9_999, maxFoundEvents, "c1"));
    const before = requests.length;
    await search.loadOlder();
    expect(search.isFull.value).toBe(true);
    expect(requests.length).toBe(before);
  });

  test("that another one follows is aborted, and its answer is ignored", async () => {
    const { api, requests, last } = apiUnderTest();
    const search = new Search(api);
    void search.search("port:22");
    void search.search("port:23");
    expect(requests[0]?.aborted?.aborted).toBe(true);
    await last().answer(page(5, 1, null));
    await requests[0]?.answer(page(99, 9, "old"));
    expect(idsOf(search)).toEqual([5]);
    expect(search.hasOlder.value).toBe(false);
  });

  test("that fails says why, and asks for nothing more", async () => {
    const { api, last, resources } = apiUnderTest();
    const search = new Search(api);
    void search.search("");
    await last().fail(new ApiError(503, "unavailable", "there is no history here", { hasHistory: false }));
    expect(search.problem.value?.body).toEqual({ hasHistory: false });
    expect(search.isLoading.value).toBe(false);
    expect(resources()).toEqual(["events"]);
  });

  test("whose count fails still has its events, and says why", async () => {
    const { api, requests, last } = apiUnderTest();
    const search = new Search(api);
    void search.search("");
    await last().answer(page(5, 1, null));
    await requests[1]?.fail(new ApiError(503, "unavailable", "Loom is not available"));
    expect(idsOf(search)).toEqual([5]);
    expect(search.problem.value).toBeUndefined();
    await requests[2]?.answer({ ...complete, from: 0, intervalMs: 1_000, counts: [1] });
    expect(search.partProblem.value?.message).toBe("Loom is not available");
  });

  test("that a deadline cut is continued by its older events", async () => {
    const { api, last } = apiUnderTest();
    const search = new Search(api);
    void search.search("");
    await last().answer({ ...page(5, 1, "c1"), isComplete: false, searchedBackTo: 5 });
    expect(search.completeness.value).toMatchObject({ isComplete: false, searchedBackTo: 5 });
    void search.loadOlder();
    await last().answer(page(4, 1, null));
    expect(search.completeness.value?.isComplete).toBe(true);
  });

  test("can be exported as it is", () => {
    expect(exportLink('since:1h "a b"', "csv")).toBe(
      "/api/v1/history/export?q=since%3A1h+%22a+b%22&format=csv",
    );
  });
});

describe("the opened event", () => {
  test("is taken from the rows if it is among them", async () => {
    const { api, requests, last } = apiUnderTest();
    const search = new Search(api);
    void search.search("");
    await last().answer(page(3, 3, null));
    const before = requests.length;
    const opened = new OpenedEvent(api);
    await opened.show("2", search.rows.value);
    expect(opened.event.value?.raw).toBe('{"destination":{"port":2}}');
    expect(requests.length).toBe(before);
    await opened.show(undefined, search.rows.value);
    expect(opened.event.value).toBeUndefined();
  });

  test("is requested if it is not, with its id escaped", async () => {
    const { api, last } = apiUnderTest();
    const opened = new OpenedEvent(api);
    void opened.show("7/../8", []);
    expect(last().resource).toBe("events/7%2F..%2F8");
    await last().answer(event(7));
    expect(opened.event.value?.fields.port).toBe(7);
  });

  test("that is not stored any more is a problem until another one is opened", async () => {
    const { api, last } = apiUnderTest();
    const opened = new OpenedEvent(api);
    void opened.show("7", []);
    await last().fail(new ApiError(404, "not_found", "not found"));
    expect(opened.problem.value?.status).toBe(404);
    void opened.show(undefined, []);
    expect(opened.problem.value).toBeUndefined();
  });
});
