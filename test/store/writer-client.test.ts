import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { StoreNote } from "../../server/store/store-notes.ts";
import { WriterClient, type WriterClientOptions } from "../../server/store/writer-client.ts";
import { decodeEvents, encodeEvents } from "../../server/store/writer-messages.ts";
import { workerFile } from "../../server/worker-file.ts";
import { documentsOf } from "../support/store-reader.ts";
import { until } from "../support/until.ts";
import { documents, eventsOf, temporaryFolder } from "./stores.ts";

const outbox = "outbox-1";

function openClient(dir: string, options: Partial<WriterClientOptions> = {}) {
  const notes: StoreNote[] = [];
  const client = new WriterClient({
    dir,
    maxBytes: 1024 ** 3,
    maxDays: 36_500,
    note: (level, message, fields) => notes.push({ level, message, fields }),
    ...options,
  });
  return { client, notes };
}

test("events are the same after they were handed over", () => {
  const events = [...eventsOf(1, 5), { ...eventsOf(6, 1)[0], sensorId: "é", document: Buffer.alloc(0) }];
  expect(decodeEvents(encodeEvents(events as ReturnType<typeof eventsOf>))).toEqual(
    events as ReturnType<typeof eventsOf>,
  );
});

test("deliveries are on disk when they are answered, and the report follows", async () => {
  using folder = temporaryFolder();
  const { client } = openClient(folder.path);
  expect(await client.append(outbox, eventsOf(1, 600))).toBeUndefined();
  expect(documentsOf(folder.path)).toEqual(documents(1, 600));
  expect(client.report).toMatchObject({ files: 1, events: 600 });
  await client.close();
});

test("close leaves a plain file and no worker that answers", async () => {
  using folder = temporaryFolder();
  const { client } = openClient(folder.path);
  await client.append(outbox, eventsOf(1, 600));
  await client.close();
  expect(readdirSync(folder.path).toSorted()).toEqual(["2026-11-03-1.db", "first-seen.db"]);
  expect(await client.append(outbox, eventsOf(601, 1))).toEqual({
    reason: "the store is closed",
    isBlocked: false,
  });
});

test("close completes the delivery in progress", async () => {
  using folder = temporaryFolder();
  const { client } = openClient(folder.path);
  const appended = client.append(outbox, eventsOf(1, 2_000));
  await client.close();
  expect(await appended).toBeUndefined();
  expect(documentsOf(folder.path)).toEqual(documents(1, 2_000));
});

test("a second delivery fails while one is in progress", async () => {
  using folder = temporaryFolder();
  const { client } = openClient(folder.path);
  const first = client.append(outbox, eventsOf(1, 2_000));
  expect(await client.append(outbox, eventsOf(1, 2_000))).toEqual({
    reason: "the disk has not finished the last delivery",
    isBlocked: false,
  });
  expect(await first).toBeUndefined();
  await client.close();
});

test("a worker that ends in the middle of a delivery is started again, and the delivery is stored once", async () => {
  using folder = temporaryFolder();
  const workers: Worker[] = [];
  const startWorker = () => {
    const worker = new Worker(workerFile("server/store/writer-worker.ts"));
    workers.push(worker);
    return worker;
  };
  const { client, notes } = openClient(folder.path, { startWorker });
  await client.append(outbox, eventsOf(1, 100));
  for (let kill = 0; kill < 5; kill++) {
    const first = 101 + kill * 5_000;
    const appended = client.append(outbox, eventsOf(first, 5_000));
    workers.at(-1)?.terminate();
    const failure = await appended;
    if (failure) expect(failure.reason).toStartWith("the worker that writes the store has ended");
    await until(
      "the delivery is stored",
      async () => (await client.append(outbox, eventsOf(first, 5_000))) === undefined,
    );
  }
  await client.close();
  expect(documentsOf(folder.path)).toEqual(documents(1, 25_100));
  expect(notes.map(({ message }) => message)).toContain(
    "the worker that writes the store has ended; the next delivery starts it again",
  );
}, 30_000);

test("a worker that cannot be started fails each delivery, and says why", async () => {
  using folder = temporaryFolder();
  const { client } = openClient(folder.path, { startWorker: () => new Worker("/nowhere/worker.ts") });
  const failure = await client.append(outbox, eventsOf(1, 1));
  expect(failure?.reason).toStartWith("the worker that writes the store has ended: ");
  await client.close();
});

test("a directory that cannot be made blocks deliveries and says why", async () => {
  const { client } = openClient("/proc/loom-store");
  expect(await client.append(outbox, eventsOf(1, 1))).toMatchObject({
    reason: expect.stringMatching(/^cannot write to \/proc\/loom-store: /),
  });
  await client.close();
});
