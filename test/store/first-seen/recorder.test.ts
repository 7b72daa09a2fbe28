import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, rmdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressKey } from "../../../server/address-key.ts";
import { FirstSeen } from "../../../server/store/first-seen/first-seen.ts";
import { documentsOf } from "../../support/store-reader.ts";
import { dayMs, documents, eventsOf, openWriter, startMs, temporaryFolder } from "../stores.ts";

setDefaultTimeout(60_000);
const outbox = "outbox-1";
const name = "first-seen.db";

/** When the address of an event was first seen, if it was. */
function firstTimesOf(dir: string, sequences: readonly number[]): (number | undefined)[] {
  const file = new FirstSeen(join(dir, name));
  const times = sequences.map((sequence) => {
    const { source } = JSON.parse(eventsOf(sequence, 1)[0]?.document.toString() ?? "");
    return file.firstSeen("ip", addressKey(source.ip) ?? "").firstSeenAt;
  });
  file.close();
  return times;
}

test("the values of stored events have their first times, also after the events are removed", () => {
  using folder = temporaryFolder();
  let nowMs = startMs;
  using store = openWriter(folder.path, { maxDays: 1, now: () => nowMs });
  store.writer.append(outbox, eventsOf(1, 10));
  nowMs += 5 * dayMs;
  store.writer.append(
    outbox,
    eventsOf(1, 10, nowMs).map((event) => ({ ...event, sequence: event.sequence + 10 })),
  );
  expect(store.writer.report.events).toBe(10);
  expect(firstTimesOf(folder.path, [1, 10, 11])).toEqual([startMs, startMs, undefined]);
});

test("a file that is damaged is moved to damaged/ and begun again, and the events are stored", () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, name), "not a database ".repeat(100));
  using store = openWriter(folder.path);
  store.writer.append(outbox, eventsOf(1, 10));
  expect(store.messages()).toEqual([
    "error the file of first times is damaged; it is moved to damaged/ and begun again",
  ]);
  expect(existsSync(join(folder.path, "damaged", name))).toBe(true);
  expect(firstTimesOf(folder.path, [1])).toEqual([startMs]);
  expect(documentsOf(folder.path)).toEqual(documents(1, 10));
});

test("a file that is cut off is begun again with the events of the delivery", () => {
  using folder = temporaryFolder();
  {
    using store = openWriter(folder.path);
    store.writer.append(outbox, eventsOf(1, 2_000));
  }
  truncateSync(join(folder.path, name), 20_000);
  using store = openWriter(folder.path);
  store.writer.append(outbox, eventsOf(2_001, 10));
  expect(store.messages()).toEqual([
    "error the file of first times is damaged; it is moved to damaged/ and begun again",
  ]);
  expect(firstTimesOf(folder.path, [1, 2_001])).toEqual([undefined, startMs]);
});

test("while the file cannot be written, events are stored, and their first times are noted when it can", () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, name));
  using store = openWriter(folder.path);
  store.writer.append(outbox, eventsOf(1, 10));
  store.writer.append(outbox, eventsOf(11, 10));
  expect(documentsOf(folder.path)).toEqual(documents(1, 20));
  rmdirSync(join(folder.path, name));
  store.writer.append(outbox, eventsOf(21, 10));
  expect(firstTimesOf(folder.path, [1, 11, 21])).toEqual([startMs, startMs, startMs]);
  expect(store.messages()).toEqual([
    "error first times cannot be noted; the events are stored, and the next delivery retries",
    "info first times are noted again",
  ]);
});

test("events that were not noted are counted when there are too many to wait", () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, name));
  using store = openWriter(folder.path);
  for (let first = 1; first <= 12_000; first += 2_000) store.writer.append(outbox, eventsOf(first, 2_000));
  rmdirSync(join(folder.path, name));
  store.writer.append(outbox, eventsOf(12_001, 1));
  expect(store.notes.at(-1)).toMatchObject({ level: "info", fields: { droppedEvents: 2_000 } });
  expect(firstTimesOf(folder.path, [2_000, 2_001])).toEqual([undefined, startMs]);
});

test("a kill loses no first time of a stored event, and a repeated delivery changes none", async () => {
  using folder = temporaryFolder();
  for (let kill = 1; kill <= 8; kill++) {
    const dir = join(folder.path, `${kill}`);
    const program = join(import.meta.dir, "store-events.ts");
    const child = Bun.spawn([process.execPath, program, dir], { stdout: "pipe" });
    let printed = "";
    for await (const chunk of child.stdout) {
      printed += Buffer.from(chunk).toString();
      if (printed.split("\n").length > kill * 2) break;
    }
    child.kill("SIGKILL");
    await child.exited;
    const last = Number(printed.trim().split("\n").at(-1));
    using store = openWriter(dir);
    store.writer.append(outbox, eventsOf(last - 99, 300, startMs + (last - 99) * 1_000));
    const sequences = [1, last - 50, last];
    const expected = sequences.map((sequence) => {
      const first = sequence - ((sequence - 1) % 100);
      return startMs + first * 1_000;
    });
    expect(firstTimesOf(dir, sequences)).toEqual(expected);
  }
});
