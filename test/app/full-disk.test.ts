import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { maxTestMs, startExecutable } from "../support/executable.ts";
import { send } from "../support/send.ts";
import { canMountSmallDisks, mountSmallDisk } from "../support/small-disk.ts";

setDefaultTimeout(maxTestMs);

const diskBytes = 1024 * 1024;
test.skipIf(!canMountSmallDisks())(
  "batches are refused while the disk of stdout is full, and written completely when it has space again",
  async () => {
    using small = mountSmallDisk(diskBytes);
    const filler = join(small.folder, "filler");
    const output = join(small.folder, "events.ndjson");
    writeFileSync(filler, Buffer.alloc(diskBytes / 2));
    const stdout = openSync(output, "a");
    await using loom = await startExecutable({ stdout });
    closeSync(stdout);
    const batch = (number: number) => `[{"batch":${number},"x":"${"x".repeat(100_000)}"}]`;

    const kept: number[] = [];
    let next = 0;
    while ((await send(loom.ingestUrl, batch(next))) === 204) kept.push(next++);
    expect(kept.length).toBeGreaterThan(2);
    const ready = await fetch(`${loom.managementUrl}/ready`);
    expect([ready.status, await ready.text()]).toEqual([503, "cannot write to stdout: ENOSPC"]);

    rmSync(filler);
    next++;
    expect(await send(loom.ingestUrl, batch(next))).toBe(204);
    kept.push(next);
    expect((await fetch(`${loom.managementUrl}/ready`)).status).toBe(200);
    const whole = readFileSync(output, "utf8").split("\n").filter(isJson);
    expect(whole.map((line): number => JSON.parse(line).batch)).toEqual(kept);
  },
);

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
