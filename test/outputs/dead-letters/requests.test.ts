import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import {
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createPendingRequestsReader,
  readPendingRequests,
} from "../../../server/outputs/dead-letters/pending-requests.ts";
import {
  listRequests,
  RequestQueue,
  readRequest,
  removeRequest,
  writeRequest,
} from "../../../server/outputs/dead-letters/requests.ts";
import { recordingLog } from "../../support/log.ts";

const log = recordingLog();
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "loom-requests-"));
  log.lines.length = 0;
});

afterEach(() => rmSync(dir, { recursive: true }));

const pathOf = (name: string) => join(dir, `dead-letters-stub.request-${name}.json`);
const write = (name: string, text: string) => writeFileSync(pathOf(name), text);
const retryOf = (...sequences: readonly number[]) => JSON.stringify({ action: "retry", sequences });

test("a request is a file with the documented content, which only its owner can read", async () => {
  await writeRequest(dir, "stub", "retry", [12, 13]);
  const [name = "", ...others] = readdirSync(dir);
  expect(name).toMatch(/^dead-letters-stub\.request-\d{15}-[0-9a-f]{12}\.json$/);
  expect(others).toEqual([]);
  expect(readFileSync(join(dir, name), "utf8")).toBe('{"action":"retry","sequences":[12,13]}');
  expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
});

test("a request is synced before it has its name, and its directory after that", async () => {
  const probe = await open(dir, "r");
  const syncs: (readonly string[])[] = [];
  const sync = spyOn(Object.getPrototypeOf(probe) as FileHandle, "sync").mockImplementation(async () => {
    syncs.push(readdirSync(dir).map((name) => name.replace(/^.*?(?=\.json)/, "")));
  });
  await writeRequest(dir, "stub", "retry", [1]);
  expect(syncs).toEqual([[".json.tmp"], [".json"]]);
  for (const path of await listRequests(dir, "stub")) await removeRequest(await readRequest(path));
  expect(syncs).toEqual([[".json.tmp"], [".json"], []]);
  sync.mockRestore();
  await probe.close();
});

test.if(process.getuid?.() === 0)(
  "a request written by root belongs to the owner of the directory",
  async () => {
    chownSync(dir, 12_345, 12_346);
    await writeRequest(dir, "stub", "retry", [1]);
    const [path = ""] = await listRequests(dir, "stub");
    const { uid, gid } = statSync(path);
    expect([uid, gid]).toEqual([12_345, 12_346]);
  },
);

test("requests are listed for their output alone, the oldest first, without those being written", async () => {
  for (const name of ["3", "1", "2"]) write(name, "{}");
  writeFileSync(`${pathOf("0")}.tmp`, "{}");
  writeFileSync(join(dir, "dead-letters-other.request-1.json"), "{}");
  expect(await listRequests(dir, "stub")).toEqual(["1", "2", "3"].map(pathOf));
});

test("a request is read, and is gone after it is removed", async () => {
  write("1", '{"action":"drop","sequences":[1]}');
  const request = await readRequest(pathOf("1"));
  expect(request).toEqual({ path: pathOf("1"), action: "drop", sequences: [1] });
  await removeRequest(request);
  expect(readdirSync(dir)).toEqual([]);
});

test("a file over 32 MiB is not read as a request", async () => {
  write("1", retryOf(1));
  truncateSync(pathOf("1"), 32 * 1024 * 1024 + 1);
  await expect(readRequest(pathOf("1"))).rejects.toThrow("33554433 bytes, at most 33554432 are allowed");
  write("1", retryOf(1).padEnd(32 * 1024 * 1024));
  expect((await readRequest(pathOf("1"))).sequences).toEqual([1]);
});

test("the queue returns the oldest request until it is removed", async () => {
  const queue = new RequestQueue(dir, "stub", log);
  expect(await queue.next()).toBeUndefined();
  write("2", retryOf(2));
  write("1", retryOf(1));
  const [first, again] = [await queue.next(), await queue.next()];
  expect([first?.sequences, again?.sequences]).toEqual([[1], [1]]);
  if (first) await removeRequest(first);
  expect((await queue.next())?.sequences).toEqual([2]);
});

test("the queue logs a file that is not a request once, and skips it", async () => {
  const queue = new RequestQueue(dir, "stub", log);
  write("1", '{"action":"rm","sequences":[1]}');
  write("2", retryOf(2));
  expect([(await queue.next())?.sequences, (await queue.next())?.sequences]).toEqual([[2], [2]]);
  expect(log.lines).toEqual([
    {
      level: "error",
      message: "cannot read a request about dead letters; the file is skipped",
      fields: { path: pathOf("1"), error: 'not {"action":"retry" or "drop","sequences":[…]}' },
    },
  ]);
});

test("pending requests are the numbers of all requests by action, without numbers that have no record", async () => {
  write("1", retryOf(1, 2));
  write("2", '{"action":"drop","sequences":[3,4]}');
  write("3", retryOf(5));
  write("4", "{damaged");
  const paths = await listRequests(dir, "stub");
  const { retry, drop } = await readPendingRequests([...paths, pathOf("gone")], (sequence) => sequence !== 2);
  expect([[...retry], [...drop]]).toEqual([
    [1, 5],
    [3, 4],
  ]);
});

test("pending requests are read again when a request was added or removed, and only then", async () => {
  const read = createPendingRequestsReader(dir, "stub", () => true);
  const empty = await read();
  expect(empty.retry.size).toBe(0);
  expect(await read()).toBe(empty);
  write("1", retryOf(1));
  const one = await read();
  expect([...one.retry]).toEqual([1]);
  expect(await read()).toBe(one);
  rmSync(pathOf("1"));
  expect((await read()).retry.size).toBe(0);
});
