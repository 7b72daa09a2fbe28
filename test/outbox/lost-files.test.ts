import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CannotKeep } from "../../server/pipeline.ts";
import { until } from "../support/until.ts";
import { batchOf, drain, openTestOutbox, temporaryFolder } from "./outboxes.ts";

/** An outbox in a directory of the real file system that can be removed and replaced. */
async function openInFolder(root: string) {
  const dir = join(root, "outbox");
  const outbox = await openTestOutbox({ dir });
  return { dir, outbox };
}

function segmentsIn(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.endsWith(".seg"));
}

async function refusal(append: Promise<void>): Promise<string> {
  const error = await append.then(
    () => new Error("it was kept"),
    (error: unknown) => error,
  );
  return error instanceof CannotKeep ? error.reason : String(error);
}

test("batches are refused after the directory was removed", async () => {
  using folder = temporaryFolder();
  const { dir, outbox } = await openInFolder(folder.path);
  await outbox.append(batchOf('{"n":1}'));
  rmSync(dir, { recursive: true });
  const problem = await until("the removal is noticed", () => outbox.problem(), 5_000);
  expect(problem).toBe(`outbox: the directory ${dir} was removed`);
  expect(await refusal(outbox.append(batchOf('{"n":2}')))).toBe(problem);
});

test("batches are refused after the directory was replaced, and kept again when it is back", async () => {
  using folder = temporaryFolder();
  const { dir, outbox } = await openInFolder(folder.path);
  await outbox.append(batchOf('{"n":1}'));
  renameSync(dir, `${dir}.old`);
  mkdirSync(dir);
  const problem = await until("the replacement is noticed", () => outbox.problem(), 5_000);
  expect(problem).toBe(`outbox: the directory ${dir} was replaced`);
  expect(await refusal(outbox.append(batchOf('{"n":"refused"}')))).toBe(problem);
  rmSync(dir, { recursive: true });
  renameSync(`${dir}.old`, dir);
  await until("the directory is back", () => outbox.problem() === undefined, 5_000);
  await outbox.append(batchOf('{"n":2}'));
  expect(await drain(outbox.reader("clickhouse"))).toEqual(['{"n":1}', '{"n":2}']);
  await outbox.close();
});

test("a removed active segment is replaced, and later events survive a restart", async () => {
  using folder = temporaryFolder();
  const { dir, outbox } = await openInFolder(folder.path);
  await outbox.append(batchOf('{"n":1}'));
  expect(await drain(outbox.reader("clickhouse"))).toEqual(['{"n":1}']);
  for (const name of segmentsIn(dir)) rmSync(join(dir, name));
  await until("a new segment is started", () => segmentsIn(dir).length > 0, 5_000);
  expect(outbox.problem()).toBeUndefined();
  await outbox.append(batchOf('{"n":2}'));
  await outbox.close();
  const after = await openTestOutbox({ dir });
  expect(await drain(after.reader("clickhouse"))).toEqual(['{"n":2}']);
  await after.close();
});
