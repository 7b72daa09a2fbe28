import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppendFile } from "../../../server/outputs/dead-letters/append-file.ts";

let dir: string;
let path: string;
let opened: AppendFile[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "loom-append-file-"));
  path = join(dir, "file");
  opened = [];
});

afterEach(async () => {
  for (const file of opened) await file.close();
  rmSync(dir, { recursive: true });
});

async function openedFile(file: Promise<AppendFile | undefined>): Promise<AppendFile> {
  const result = await file;
  if (!result) throw new Error("no file");
  opened.push(result);
  return result;
}

const content = () => readFileSync(path, "utf8");

test("a file that does not exist is not opened", async () => {
  expect(await AppendFile.open(path)).toBeUndefined();
});

test("a path that is not a file cannot be opened, and the error names it", async () => {
  await expect(AppendFile.open(dir)).rejects.toThrow(`cannot open the dead-letter file ${dir}: EISDIR`);
});

test("a created file is empty, and only its owner can read it", async () => {
  await openedFile(AppendFile.create(path));
  expect([content(), statSync(path).mode & 0o777]).toEqual(["", 0o600]);
});

test("a file is not created over another one", async () => {
  writeFileSync(path, "other");
  await expect(AppendFile.create(path)).rejects.toThrow("EEXIST");
  expect(content()).toBe("other");
});

test("lines are appended at the end that is given", async () => {
  const file = await openedFile(AppendFile.create(path));
  await file.append(Buffer.from("one\n"), 0);
  await file.append(Buffer.from("two\n"), 4);
  expect(content()).toBe("one\ntwo\n");
});

test("the torn last line of an existing file is cut off by the first append", async () => {
  writeFileSync(path, "one\ntorn line that is longer than the next");
  const file = await openedFile(AppendFile.open(path));
  await file.append(Buffer.from("two\n"), 4);
  expect(content()).toBe("one\ntwo\n");
});

test("what a failed append wrote is cut off by the next", async () => {
  const file = await openedFile(AppendFile.create(path));
  await file.append(Buffer.from("one\n"), 0);
  const { handle } = file;
  const datasync = handle.datasync;
  handle.datasync = () => Promise.reject(new Error("EIO"));
  await expect(file.append(Buffer.from("a long line that fails\n"), 4)).rejects.toThrow("EIO");
  handle.datasync = datasync;
  await file.append(Buffer.from("two\n"), 4);
  expect(content()).toBe("one\ntwo\n");
});

test("an append is not complete before the file is synced", async () => {
  const file = await openedFile(AppendFile.create(path));
  const steps: string[] = [];
  const datasync = file.handle.datasync.bind(file.handle);
  file.handle.datasync = async () => {
    steps.push(`synced ${JSON.stringify(content())}`);
    await datasync();
  };
  await file.append(Buffer.from("one\n"), 0);
  steps.push("appended");
  expect(steps).toEqual(['synced "one\\n"', "appended"]);
});

test("an append fails if the directory cannot be synced, and succeeds when it can", async () => {
  const file = await openedFile(AppendFile.create(path));
  const away = `${dir}-away`;
  renameSync(dir, away);
  try {
    await expect(file.append(Buffer.from("one\n"), 0)).rejects.toThrow("ENOENT");
  } finally {
    renameSync(away, dir);
  }
  await file.append(Buffer.from("two\n"), 0);
  expect(content()).toBe("two\n");
});

test("the directory is synced once, not for each append", async () => {
  const file = await openedFile(AppendFile.create(path));
  await file.append(Buffer.from("one\n"), 0);
  const away = `${dir}-away`;
  renameSync(dir, away);
  try {
    await file.append(Buffer.from("two\n"), 4);
  } finally {
    renameSync(away, dir);
  }
  expect(content()).toBe("one\ntwo\n");
});

test("a file that was renamed to its path ends with a whole line: nothing is cut off", async () => {
  const handle = await open(path, "w+");
  await handle.write("one\n");
  const file = await openedFile(Promise.resolve(AppendFile.renamed(path, handle)));
  await file.append(Buffer.from("two\n"), 4);
  expect(content()).toBe("one\ntwo\n");
});

test("a file is replaced if its name is gone or is the name of another file, and not if it was only changed", async () => {
  const file = await openedFile(AppendFile.create(path));
  appendFileSync(path, "more");
  expect(await file.isReplaced()).toBe(false);
  rmSync(path);
  expect(await file.isReplaced()).toBe(true);
  writeFileSync(path, "other");
  expect(await file.isReplaced()).toBe(true);
});
