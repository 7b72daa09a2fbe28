import { describe, expect, test } from "bun:test";
import type { QueryErrorAnswer } from "../../../server/management/api/answers.ts";
import { EventFilter } from "../../../server/monitoring/tail/event-filter.ts";
import type { TailBye, TailHello } from "../../../server/monitoring/tail/messages.ts";
import { until } from "../../support/until.ts";
import {
  createTestTail,
  createTestViewer,
  type EventsMessage,
  eventsOf,
  type Message,
  quickTiming,
  type TestViewer,
} from "./tails.ts";

const numbered = (count: number, first = 1) => Array.from({ length: count }, (_, n) => ({ n: first + n }));
const numbersIn = (messages: readonly EventsMessage[]) =>
  messages.flatMap(({ events }) => events.map(({ number }) => number));
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

async function helloOf(viewer: TestViewer): Promise<TailHello & { readonly id: string | undefined }> {
  const { event, data, id } = (await viewer.next()) ?? {};
  expect(event).toBe("hello");
  return { ...(JSON.parse(data?.[0] ?? "") as TailHello), id };
}

/** Reads messages until one covers the event of this number. */
async function upTo(viewer: TestViewer, number: number): Promise<EventsMessage[]> {
  const messages: EventsMessage[] = [];
  do messages.push(await viewer.events());
  while (Number(messages.at(-1)?.id.split(".")[1]) < number);
  return messages;
}

function totalOf(messages: readonly EventsMessage[]) {
  const total = { kept: 0, unexamined: 0, missed: 0, matched: 0, sent: 0 };
  for (const { kept, unexamined, missed, matched, events } of messages) {
    total.kept += kept;
    total.unexamined += unexamined;
    total.missed += missed;
    total.matched += matched;
    total.sent += events.length;
  }
  return total;
}

describe("the answer", () => {
  test("is a stream that no proxy buffers or stores", async () => {
    const { get, tail } = createTestTail();
    const { status, headers, body } = await get("/api/v1/tail");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-accel-buffering")).toBe("no");
    await body?.cancel();
    expect(tail.viewerCount).toBe(0);
  });

  for (const query of ["?x=1", "?port=22", "?q=a&q=b", "?last_event_id=1.1&Q=a"])
    test(`${query} is an invalid request, and opens no connection`, async () => {
      const { get, tail } = createTestTail();
      const answer = await get(`/api/v1/tail${query}`);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toEqual({ error: "invalid_request" });
      expect(tail.viewerCount).toBe(0);
    });

  for (const [query, part] of [
    ["port:22 port:ssh", "ssh"],
    ["port:22 since:1h", "since:1h"],
  ] as const)
    test(`${query} is an invalid query: the answer points out ${part}`, async () => {
      const { get, tail } = createTestTail();
      const answer = await get(`/api/v1/tail?${new URLSearchParams({ q: query })}`);
      expect(answer.status).toBe(400);
      const { start, length, ...rest } = (await answer.json()) as QueryErrorAnswer;
      expect(query.slice(start, start + length)).toBe(part);
      expect(rest).toEqual({ error: "invalid_query", message: expect.any(String), suggestion: null });
      expect(tail.viewerCount).toBe(0);
    });

  test("is 503 while there are too many viewers", async () => {
    const { get, view, tail } = createTestTail({ maxViewers: 2 });
    const first = await view();
    await view();
    const refused = await get("/api/v1/tail");
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refused.json()).toEqual({ error: "unavailable" });
    await first.leave();
    expect(tail.viewerCount).toBe(1);
    expect((await get("/api/v1/tail")).status).toBe(200);
  });
});

describe("a new viewer", () => {
  test("gets a hello first, with nothing missed", async () => {
    const { view } = createTestTail({ now: () => 5 });
    const hello = await helloOf(await view());
    expect(hello).toMatchObject({ startedAt: 1_000, isResumed: false, missed: 0 });
    expect(hello.instance).toMatch(/^[0-9a-f]{16}$/);
    expect(hello.id).toBe(`${hello.instance}.0`);
  });

  test("gets the recent events, oldest first, and then new ones", async () => {
    const { view, keep, settled } = createTestTail();
    keep(numbered(3));
    await settled();
    const viewer = await view();
    const { instance } = await helloOf(viewer);
    const [before] = await upTo(viewer, 3);
    expect(before?.id).toBe(`${instance}.3`);
    expect(before?.events.map(({ document }) => document)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    keep(numbered(2, 4));
    const after = await upTo(viewer, 5);
    expect(numbersIn(after)).toEqual([4, 5]);
    expect(totalOf(after)).toEqual({ kept: 2, unexamined: 0, missed: 0, matched: 2, sent: 2 });
  });

  test("gets the newest 500 events, and earlier ones are not counted", async () => {
    const { view, keep, settled } = createTestTail();
    keep(numbered(2_000));
    await settled();
    const viewer = await view();
    expect((await helloOf(viewer)).id).toEndWith(".1500");
    const messages = await upTo(viewer, 2_000);
    expect(numbersIn(messages)).toEqual(range(1_501, 2_000));
    expect(totalOf(messages)).toEqual({ kept: 500, unexamined: 0, missed: 0, matched: 500, sent: 500 });
    expect(messages.every(({ events }) => events.length <= 100)).toBe(true);
  });

  test("gets the newest 500 events that match its filter", async () => {
    const { view, keep, settled } = createTestTail();
    keep(Array.from({ length: 4_000 }, (_, n) => ({ destination: { port: n % 4 } })));
    await settled();
    const viewer = await view("?q=port:3");
    await helloOf(viewer);
    const messages = await upTo(viewer, 4_000);
    expect(numbersIn(messages)).toEqual(range(501, 1_000).map((index) => index * 4));
    expect(totalOf(messages)).toMatchObject({ kept: 1_997, matched: 500, sent: 500 });
  });

  test("gets at once the counts of events that its filter leaves out", async () => {
    const { view, keep, settled } = createTestTail();
    keep(numbered(50));
    await settled();
    const viewer = await view("?q=port:22");
    await helloOf(viewer);
    expect(totalOf([await viewer.events()])).toMatchObject({ kept: 50, matched: 0, sent: 0 });
  });
});

describe("a message", () => {
  test("has each document unchanged, as the last member of its line", async () => {
    const { view, keep } = createTestTail();
    const documents = [
      '{"n":18446744073709551615,"f":1.0,"e":1e400,"n":2}',
      '{"t":"\\u003cscript\\u003e\\u2028 \u2028 é 𝄞 \\ud800"}',
      '{"__proto__":{"toString":[]},"document":{"document":1}}',
    ];
    const viewer = await view();
    keep(documents, 'a\\"b');
    const { lines, events } = await viewer.events();
    expect(lines.map((line) => line.slice(line.indexOf('"document":') + 11, -1))).toEqual(documents);
    expect(events.map(({ number, sensorId }) => ({ number, sensorId }))).toEqual(
      range(1, 3).map((number) => ({ number, sensorId: 'a\\"b' })),
    );
  });

  test("has the newest 100 of the matching events, and counts the others", async () => {
    const { view, keep } = createTestTail();
    const viewer = await view();
    await helloOf(viewer);
    keep(numbered(350));
    const messages = await upTo(viewer, 350);
    const { kept, matched } = totalOf(messages);
    expect({ kept, matched }).toEqual({ kept: 350, matched: 350 });
    expect(messages.at(-1)?.events.at(-1)?.number).toBe(350);
    expect(messages.every(({ events }) => events.length <= 100)).toBe(true);
  });

  test("is at most 256 KiB, or one larger event", async () => {
    const { view, keep } = createTestTail();
    const viewer = await view();
    await helloOf(viewer);
    keep(Array.from({ length: 10 }, (_, n) => ({ n, pad: "x".repeat(60 * 1024) })));
    const messages = await upTo(viewer, 10);
    const sizes = messages.map(({ lines }) => lines.reduce((bytes, line) => bytes + line.length, 0));
    expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
    expect(totalOf(messages)).toMatchObject({ kept: 10, matched: 10 });
    expect(messages.at(-1)?.events.at(-1)?.number).toBe(10);
    keep([{ pad: "x".repeat(400 * 1024) }]);
    expect(numbersIn([await viewer.events()])).toEqual([11]);
  });

  test("counts events that were not sampled", async () => {
    const { view, keep } = createTestTail({
      budget: { eventsPerSecond: 64, bytesPerSecond: 1e9 },
      monotonic: () => 0,
    });
    const viewer = await view();
    await helloOf(viewer);
    keep(numbered(200));
    const messages = await upTo(viewer, 200);
    expect(totalOf(messages)).toEqual({ kept: 200, unexamined: 136, missed: 0, matched: 64, sent: 64 });
  });

  test("is sent at most once a tick, with all events since the last one", async () => {
    const { view, keep, settled } = createTestTail({ timing: { ...quickTiming, tickMs: 200 } });
    const viewer = await view();
    await helloOf(viewer);
    for (let n = 1; n <= 20; n++) {
      keep([{ n }]);
      await settled();
    }
    expect(numbersIn([await viewer.events()])).toEqual(range(1, 20));
  });

  test("is a comment if there was no event for some time", async () => {
    const { view } = createTestTail({ timing: { ...quickTiming, pingMs: 10 } });
    const viewer = await view();
    await helloOf(viewer);
    const pings = [await viewer.next(), await viewer.next()];
    expect(pings.map((message) => message?.comment)).toEqual(["ping", "ping"]);
    expect(pings.map((message) => message?.data)).toEqual([[], []]);
  });
});

describe("a viewer that reconnects", () => {
  /** A viewer that saw `seen` events, and its last id. */
  async function seenBy(test: ReturnType<typeof createTestTail>, seen: number): Promise<string> {
    const viewer = await test.view();
    await helloOf(viewer);
    test.keep(numbered(seen));
    const messages = await upTo(viewer, seen);
    await viewer.leave();
    return messages.at(-1)?.id ?? "";
  }

  for (const way of ["header", "query"])
    test(`resumes at its last event, by the ${way}`, async () => {
      const test = createTestTail();
      const id = await seenBy(test, 5);
      test.keep(numbered(7, 6));
      await test.settled();
      const viewer =
        way === "header"
          ? await test.view("", { "last-event-id": id })
          : await test.view(`?last_event_id=${id}`);
      expect(await helloOf(viewer)).toMatchObject({ isResumed: true, missed: 0, id });
      expect(numbersIn(await upTo(viewer, 12))).toEqual(range(6, 12));
    });

  test("resumes by the header rather than by the parameter, which is older", async () => {
    const test = createTestTail();
    const id = await seenBy(test, 5);
    const viewer = await test.view(`?last_event_id=${id.replace(/5$/, "1")}`, { "last-event-id": id });
    expect((await helloOf(viewer)).id).toBe(id);
  });

  test("gets the number of evicted events", async () => {
    const test = createTestTail({ maxCount: 10 });
    const id = await seenBy(test, 5);
    test.keep(numbered(30, 6));
    await test.settled();
    const viewer = await test.view("", { "last-event-id": id });
    expect(await helloOf(viewer)).toMatchObject({ isResumed: true, missed: 20 });
    const messages = await upTo(viewer, 35);
    expect(numbersIn(messages)).toEqual(range(26, 35));
    expect(totalOf(messages)).toEqual({ kept: 10, unexamined: 0, missed: 0, matched: 10, sent: 10 });
  });

  test("gets the number of evicted events once, also if it disconnects after the hello", async () => {
    const test = createTestTail({ maxCount: 10 });
    const id = await seenBy(test, 5);
    test.keep(numbered(30, 6));
    await test.settled();
    const first = await helloOf(await test.view("", { "last-event-id": id }));
    const again = await helloOf(await test.view("", { "last-event-id": first.id ?? "" }));
    expect([first.missed, again.missed]).toEqual([20, 0]);
  });

  test("gets the newest 500 events since, and the counts of the others", async () => {
    const test = createTestTail();
    const id = await seenBy(test, 5);
    test.keep(numbered(1_200, 6));
    await test.settled();
    const viewer = await test.view("", { "last-event-id": id });
    await helloOf(viewer);
    const messages = await upTo(viewer, 1_205);
    expect(numbersIn(messages)).toEqual(range(706, 1_205));
    expect(totalOf(messages)).toEqual({ kept: 1_200, unexamined: 0, missed: 0, matched: 1_200, sent: 500 });
  });

  test("may disconnect within these and loses nothing", async () => {
    const test = createTestTail();
    let id = await seenBy(test, 5);
    test.keep(numbered(400, 6));
    await test.settled();
    const messages: EventsMessage[] = [];
    for (let visit = 0; visit < 4; visit++) {
      const viewer = await test.view("", { "last-event-id": id });
      const message = await viewer.events();
      messages.push(message);
      id = message.id;
      await viewer.leave();
    }
    expect(numbersIn(messages)).toEqual(range(6, 405));
  });

  test("resumes at the same event with another filter", async () => {
    const test = createTestTail();
    const id = await seenBy(test, 5);
    test.keep([{ destination: { port: 1 } }, { destination: { port: 2 } }]);
    await test.settled();
    const viewer = await test.view("?q=port:2", { "last-event-id": id });
    expect(totalOf(await upTo(viewer, 7))).toMatchObject({ kept: 2, matched: 1, sent: 1 });
  });

  test("after a restart gets null as the number of missed events", async () => {
    const { view, keep, settled } = createTestTail();
    keep(numbered(3));
    await settled();
    const viewer = await view("", { "last-event-id": "0123456789abcdef.2" });
    expect(await helloOf(viewer)).toMatchObject({ isResumed: false, missed: null });
    expect(numbersIn(await upTo(viewer, 3))).toEqual([1, 2, 3]);
  });

  test("after a restart gets the counts of all events since", async () => {
    const { view, keep, settled } = createTestTail({ maxCount: 600 });
    keep(numbered(1_000));
    await settled();
    const viewer = await view("", { "last-event-id": "0123456789abcdef.2" });
    await helloOf(viewer);
    const messages = await upTo(viewer, 1_000);
    expect(numbersIn(messages)).toEqual(range(501, 1_000));
    expect(totalOf(messages)).toEqual({ kept: 1_000, unexamined: 0, missed: 400, matched: 600, sent: 500 });
  });

  for (const id of [
    "x",
    "1",
    ".",
    "0123456789abcdef",
    "0123456789abcdef.-1",
    "0123456789abcdef.1e3",
    "a".repeat(9_999),
  ])
    test(`with "${id.slice(0, 30)}", which is not an id, starts as a new viewer`, async () => {
      const { view, keep, settled } = createTestTail();
      keep(numbered(3));
      await settled();
      const viewer = await view(`?last_event_id=${encodeURIComponent(id)}`);
      expect(await helloOf(viewer)).toMatchObject({ isResumed: false, missed: 0 });
      expect(numbersIn(await upTo(viewer, 3))).toEqual([1, 2, 3]);
    });

  test("with a number that no event has yet starts as a new viewer", async () => {
    const test = createTestTail();
    const id = await seenBy(test, 5);
    const viewer = await test.view("", { "last-event-id": id.replace(/5$/, "6") });
    expect(await helloOf(viewer)).toMatchObject({ isResumed: false, missed: 0 });
  });
});

describe("a slow viewer", () => {
  test("gets the number of events evicted while it did not read", async () => {
    const { view, keep, settled } = createTestTail({ maxCount: 10 });
    const viewer = await view();
    await helloOf(viewer);
    keep(numbered(1_000));
    await settled();
    const messages = await upTo(viewer, 1_000);
    expect(totalOf(messages)).toEqual({ kept: 1_000, unexamined: 0, missed: 990, matched: 10, sent: 10 });
    expect(numbersIn(messages)).toEqual(range(991, 1_000));
  });

  test("gets the number of events evicted from its backlog", async () => {
    const { view, keep, settled } = createTestTail({ maxCount: 300 });
    keep(numbered(300));
    await settled();
    const viewer = await view();
    await helloOf(viewer);
    const first = await viewer.events();
    expect(numbersIn([first])).toEqual(range(1, 100));
    keep(numbered(150, 301));
    await settled();
    const rest = await upTo(viewer, 450);
    expect(totalOf(rest)).toMatchObject({ kept: 350, missed: 50, matched: 300 });
    expect(numbersIn(rest).slice(0, 150)).toEqual(range(151, 300));
  });

  test("causes no work while it does not read", async () => {
    let questions = 0;
    const isSessionValid = () => {
      questions++;
      return true;
    };
    const { view, keep, settled } = createTestTail({ isSessionValid });
    const stuck = await view();
    await helloOf(stuck);
    for (let batch = 0; batch < 50; batch++) {
      keep(numbered(10));
      await settled();
    }
    expect(questions).toBe(0);
    expect(totalOf(await upTo(stuck, 500))).toMatchObject({ kept: 500, matched: 500, sent: 100 });
  });

  test("holds no evicted event in memory", async () => {
    const collected: number[] = [];
    const registry = new FinalizationRegistry<number>((number) => void collected.push(number));
    const test = createTestTail({
      maxCount: 20,
      onSampled: (event) => registry.register(event, event.number),
    });
    test.keep(numbered(20));
    await test.settled();
    const viewers = [await test.view(), await test.view("?q=x")];
    for (const viewer of viewers) await helloOf(viewer);
    test.keep(numbered(200, 21));
    await test.settled();
    await until("evicted events are garbage-collected", () => {
      Bun.gc(true);
      return new Set(collected).size >= 190;
    });
    expect(test.tail.viewerCount).toBe(2);
    expect(Math.max(...collected)).toBeLessThanOrEqual(200);
  });

  test("with a stuck connection gets no more messages", async () => {
    const questions = new Map<string, number>();
    const test = createTestTail();
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        const name = new URL(request.url).searchParams.get("name") ?? "";
        const isSessionValid = () => {
          questions.set(name, (questions.get(name) ?? 0) + 1);
          return true;
        };
        const filter = new EventFilter({ terms: [], since: undefined, until: undefined });
        return new Response(test.tail.open({ filter, lastEventId: undefined, isSessionValid }));
      },
    });
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: server.port ?? 0,
      socket: { data: (one) => void one.pause() },
    });
    socket.write("GET /?name=stuck HTTP/1.1\r\nHost: loom.example\r\n\r\n");
    const answer = await fetch(`http://127.0.0.1:${server.port}/?name=reading`);
    const viewer = createTestViewer(answer.body ?? new ReadableStream());
    const pad = "x".repeat(50_000);
    // All these messages go to the viewer that reads. How many both viewers got before is not known.
    let unchangedFor = 0;
    let readBefore = 0;
    for (let last = -1; unchangedFor < 20; ) {
      test.keep([{ pad }, { pad }, { pad }, { pad }]);
      await viewer.events();
      const asked = questions.get("stuck") ?? 0;
      unchangedFor = asked > 0 && asked === last ? unchangedFor + 1 : 0;
      if (unchangedFor === 0) readBefore = questions.get("reading") ?? 0;
      last = asked;
    }
    expect(questions.get("reading")).toBeGreaterThanOrEqual(readBefore + 20);
    expect(test.tail.viewerCount).toBe(2);
    socket.terminate();
    await until("its place is free", () => test.tail.viewerCount === 1);
    await viewer.leave();
    await until("the other's too", () => test.tail.viewerCount === 0);
    await server.stop(true);
  }, 20_000);
});

describe("text", () => {
  test("is searched on the server, in recent and in new events", async () => {
    const { view, keep, settled } = createTestTail();
    keep([{ a: "a needle" }, { needle: "hay" }]);
    await settled();
    const viewer = await view("?q=NEEDLE");
    await helloOf(viewer);
    expect(numbersIn(await upTo(viewer, 2))).toEqual([1]);
    keep([{ a: ["hay", { b: "\u0000Needles" }] }, { a: "hay" }]);
    const messages = await upTo(viewer, 4);
    expect(numbersIn(messages)).toEqual([3]);
    expect(totalOf(messages)).toMatchObject({ kept: 2, matched: 1 });
  });
});

describe("the end", () => {
  const byeOf = (message: Message | undefined) =>
    message?.event === "bye" ? (JSON.parse(message.data[0] ?? "") as TailBye) : undefined;

  test("comes after all kept events if Loom stops", async () => {
    const { view, keep, tail } = createTestTail({ timing: { ...quickTiming, tickMs: 60_000 } });
    const viewers = [await view(), await view("?q=b")];
    for (const viewer of viewers) await helloOf(viewer);
    const rests = viewers.map((viewer) => viewer.rest());
    keep([{ a: "b" }, { a: "c" }]);
    await tail.stop();
    const [all, filtered] = await Promise.all(rests);
    expect(numbersIn(all?.slice(0, -1).map(eventsOf) ?? [])).toEqual([1, 2]);
    expect(totalOf(filtered?.slice(0, -1).map(eventsOf) ?? [])).toMatchObject({
      kept: 2,
      matched: 1,
      sent: 1,
    });
    expect([byeOf(all?.at(-1)), byeOf(filtered?.at(-1))]).toEqual([
      { reason: "stopping" },
      { reason: "stopping" },
    ]);
    expect(tail.viewerCount).toBe(0);
  });

  test("does not wait for a viewer that does not read", async () => {
    const { view, keep, tail } = createTestTail({ timing: { ...quickTiming, stopMs: 20 } });
    const stuck = await view();
    keep(numbered(10));
    await tail.stop();
    expect(tail.viewerCount).toBe(0);
    expect(await stuck.rest()).toEqual([]);
  });

  test("refuses new viewers", async () => {
    const { get, tail } = createTestTail();
    await tail.stop();
    expect((await get("/api/v1/tail")).status).toBe(503);
  });

  test("comes when the session ends, with nothing after it", async () => {
    let isValid = true;
    const { view, keep, settled, tail } = createTestTail({ isSessionValid: () => isValid });
    const viewer = await view();
    await helloOf(viewer);
    keep(numbered(3));
    expect(numbersIn([await viewer.events()])).toEqual([1, 2, 3]);
    isValid = false;
    keep([{ secret: true }]);
    await settled();
    const rest = await viewer.rest();
    expect(rest.map(byeOf)).toEqual([{ reason: "signed_out" }]);
    await until("its place is free", () => tail.viewerCount === 0);
  });

  test("comes within a backlog if the session ends", async () => {
    let isValid = true;
    const { view, keep, settled } = createTestTail({ isSessionValid: () => isValid });
    keep(numbered(500));
    await settled();
    const viewer = await view();
    await viewer.events();
    isValid = false;
    expect((await viewer.rest()).map(byeOf)).toEqual([{ reason: "signed_out" }]);
  });
});

describe("one event", () => {
  test("is returned by its number, unchanged, while it is held", async () => {
    const { get, keep, settled } = createTestTail({ maxCount: 2, now: () => 9 });
    keep(['{"n":1}', '{"n":18446744073709551615}', '{"n":3}']);
    await settled();
    const answer = await get("/api/v1/events/2");
    expect(answer.headers.get("content-type")).toStartWith("application/json");
    expect(await answer.text()).toBe(
      '{"number":2,"receivedAt":9,"sensorId":"vps-1","document":{"n":18446744073709551615}}',
    );
    expect((await get("/api/v1/events/1")).status).toBe(404);
  });

  for (const number of ["0", "4", "-1", "1.5", "1e0", "01", "x", "99999999999999999999", "%31x", "__proto__"])
    test(`${number} is not found`, async () => {
      const { get, keep, settled } = createTestTail();
      keep(numbered(3));
      await settled();
      const answer = await get(`/api/v1/events/${number}`);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toEqual({ error: "not_found" });
    });
});
