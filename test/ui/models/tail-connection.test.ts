import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { openTail } from "../../../ui/models/tail-connection.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

interface Opened {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A tail whose streams are answered by `answers`, one after the other, and then never. */
function tailWith(...answers: readonly (() => Response | Promise<Response>)[]) {
  const opened: Opened[] = [];
  const heard: unknown[] = [];
  let changed = Promise.withResolvers<void>();
  const note = (event: unknown) => {
    heard.push(event);
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const api = {
    openStream: (path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal) => {
      const answer = answers[opened.length];
      opened.push({ path, headers, signal });
      if (answer) return Promise.resolve(answer());
      return new Promise<Response>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason)),
      );
    },
  };
  const close = openTail(api, "port:23 a&b", {
    hello: ({ instance }) => note(["hello", instance]),
    events: (counts, arrivals) => note(["events", counts.matched, arrivals.map(({ raw }) => raw)]),
    bye: ({ reason }) => note(["bye", reason]),
    state: (state, _, problem) => note(problem === undefined ? state : `${state}: ${problem}`),
  });
  /** Waits until the listener has received something that is equal to `event`. */
  const until = async (event: unknown) => {
    while (!heard.some((one) => Bun.deepEquals(one, event))) await changed.promise;
  };
  return { opened, heard, close, until };
}

const streamOf = (text: string) => () => new Response(text);
const hello = 'id: a.0\nevent: hello\ndata: {"instance":"a"}\n\n';
const events = [
  "id: a.2",
  "event: events",
  'data: {"kept":2,"unexamined":0,"missed":0,"matched":2}',
  'data: {"number":1,"receivedAt":1,"sensorId":"vps-1","document":{"n":1.50}}',
  'data: {"number":2,"receivedAt":1,"sensorId":"vps-1","document":{"n":2}}',
  "\n",
].join("\n");
const ended = "waiting: Loom closed the connection";

describe("the connection of the tail", () => {
  test("requests the query, and reports each message with the exact text of its documents", async () => {
    const { opened, heard, close, until } = tailWith(
      streamOf(`${hello}${events}event: bye\ndata: {"reason":"stopping"}\n\n`),
    );
    await until(ended);
    expect(opened.map(({ path }) => path)).toEqual(["/api/v1/tail?q=port%3A23+a%26b"]);
    expect(heard).toEqual([
      "connecting",
      "open",
      ["hello", "a"],
      ["events", 2, ['{"n":1.50}', '{"n":2}']],
      ["bye", "stopping"],
      ended,
    ]);
    close();
  });

  test("resumes after the last message, at most a second after the first end", async () => {
    const { opened, close, until } = tailWith(
      streamOf(hello + events),
      streamOf('event: hello\ndata: {"instance":"b"}\n\n'),
    );
    await until(ended);
    jest.advanceTimersByTime(1_000);
    await until(["hello", "b"]);
    expect(opened.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "a.2"]);
    close();
  });

  for (const [status, problem] of [
    [401, "signed out"],
    [503, "too many viewers, or Loom is stopping"],
    [500, "Loom answered HTTP 500"],
  ] as const)
    test(`that is answered ${status} says why it waits`, async () => {
      const { close, until, heard } = tailWith(() => new Response(null, { status }));
      await until(`waiting: ${problem}`);
      expect(heard).not.toContain("open");
      close();
    });

  test("that fails says that Loom does not answer", async () => {
    const { close, until, heard } = tailWith(() => Promise.reject(new TypeError("connection refused")));
    await until("waiting: Loom does not answer");
    expect(heard).toEqual(["connecting", "waiting: Loom does not answer"]);
    close();
  });

  test("without data for 40 s is aborted", async () => {
    const { opened, close, until } = tailWith();
    jest.advanceTimersByTime(39_999);
    expect(opened[0]?.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    await until("waiting: no data for 40 s");
    expect(opened.length).toBe(1);
    close();
  });

  test("is aborted when it is closed, and not opened again", async () => {
    const { opened, heard, close } = tailWith();
    close();
    expect(opened[0]?.signal.aborted).toBe(true);
    jest.advanceTimersByTime(60_000);
    expect([opened.length, heard]).toEqual([1, ["connecting"]]);
  });
});
