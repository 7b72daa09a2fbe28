import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openTestOutbox, temporaryFolder } from "./outboxes.ts";

/** Another process that has opened the outbox there. */
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

test("a second process is refused while the first has it, by its number, and let in at once after kill -9", async () => {
  using folder = temporaryFolder();
  const holder = await startHolder(folder.path);
  expect(await messageOf(openTestOutbox({ dir: folder.path }))).toBe(
    `outbox: ${folder.path} is in use by another Loom (process ${holder.pid})`,
  );
  holder.kill("SIGKILL");
  await holder.exited;
  await (await openTestOutbox({ dir: folder.path })).close();
});

test("a directory can't be opened twice in one process, and again after it was closed", async () => {
  using folder = temporaryFolder();
  const first = await openTestOutbox({ dir: folder.path });
  expect(await messageOf(openTestOutbox({ dir: folder.path }))).toContain("is in use by another Loom");
  await first.close();
  await (await openTestOutbox({ dir: folder.path })).close();
});

test("a lock file with somebody else's bytes does not prevent the start", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "lock"), Buffer.alloc(5000, "garbage"));
  await (await openTestOutbox({ dir: folder.path })).close();
});

test("a directory below a file ends the start with what to do", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "file"), "");
  const dir = join(folder.path, "file/outbox");
  expect(await messageOf(openTestOutbox({ dir }))).toBe(
    `outbox: cannot write to ${dir}: it, or a folder above it, is a file (create it for the user Loom runs as, or set output.outbox.dir)`,
  );
});

// Root may write everywhere.
test.skipIf(process.getuid?.() === 0)(
  "a directory that can't be written ends the start with what to do",
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
