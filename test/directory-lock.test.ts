import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openTestOutbox, temporaryFolder } from "./outbox/outboxes.ts";

/** Starts another process that opens the outbox in this directory. */
async function startHolder(dir: string) {
  const holder = Bun.spawn([process.execPath, join(import.meta.dir, "lock-holder.ts"), dir], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await holder.stdout.getReader().read();
  expect(Buffer.from(value ?? []).toString()).toBe("open\n");
  return holder;
}

function messageOf(opening: Promise<unknown>): Promise<string> {
  return opening.then(
    () => "it opened",
    (error: Error) => error.message,
  );
}

test("a second process cannot open the outbox and names the first one; after kill -9 it can at once", async () => {
  using folder = temporaryFolder();
  const holder = await startHolder(folder.path);
  expect(await messageOf(openTestOutbox({ dir: folder.path }))).toBe(
    `outbox: ${folder.path} is in use by another Loom (process ${holder.pid})`,
  );
  holder.kill("SIGKILL");
  await holder.exited;
  await (await openTestOutbox({ dir: folder.path })).close();
});

test("a process cannot open a directory twice, and can open it again after it was closed", async () => {
  using folder = temporaryFolder();
  const first = await openTestOutbox({ dir: folder.path });
  expect(await messageOf(openTestOutbox({ dir: folder.path }))).toContain("is in use by another Loom");
  await first.close();
  await (await openTestOutbox({ dir: folder.path })).close();
});

test("a second process cannot open the outbox after the lock file was deleted; after kill -9 it can at once", async () => {
  using folder = temporaryFolder();
  const holder = await startHolder(folder.path);
  for (const name of ["lock", "lock.holder"]) rmSync(join(folder.path, name));
  const refused = `outbox: ${folder.path} is in use by another Loom`;
  expect(await messageOf(openTestOutbox({ dir: folder.path }))).toBe(refused);
  // The first attempt must not have left anything that lets the second one in.
  expect(await messageOf(openTestOutbox({ dir: folder.path }))).toBe(refused);
  holder.kill("SIGKILL");
  await holder.exited;
  await (await openTestOutbox({ dir: folder.path })).close();
});

test("the lock on the file counts too, for file systems that cannot lock a directory", async () => {
  using folder = temporaryFolder();
  using database = new Database(join(folder.path, "lock"));
  database.run("BEGIN EXCLUSIVE");
  expect(await messageOf(openTestOutbox({ dir: folder.path }))).toBe(
    `outbox: ${folder.path} is in use by another Loom`,
  );
  database.run("COMMIT");
  await (await openTestOutbox({ dir: folder.path })).close();
});

test("a lock file with other bytes in it does not prevent the start", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "lock"), Buffer.alloc(5000, "garbage"));
  await (await openTestOutbox({ dir: folder.path })).close();
});

test("a directory below a file ends the start with advice", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "file"), "");
  const dir = join(folder.path, "file/outbox");
  expect(await messageOf(openTestOutbox({ dir }))).toBe(
    `outbox: cannot write to ${dir}: it, or a folder above it, is a file (create it for the user Loom runs as, or set output.outbox.dir)`,
  );
});

// Root may write to every directory.
test.skipIf(process.getuid?.() === 0)(
  "a directory that cannot be written ends the start with advice",
  async () => {
    using folder = temporaryFolder();
    const dir = join(folder.path, "outbox");
    mkdirSync(dir, { mode: 0o500 });
    expect(await messageOf(openTestOutbox({ dir }))).toBe(
      `outbox: cannot write to ${dir}: permission denied (create it for the user Loom runs as, or set output.outbox.dir)`,
    );
    chmodSync(dir, 0o700);
  },
);
