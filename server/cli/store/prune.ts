import { existsSync } from "node:fs";
import { join } from "node:path";
import { createDescriptorWriter } from "../../descriptor-writer.ts";
import { DirectoryInUse } from "../../directory-lock.ts";
import { type FileSummary, summarizeFiles } from "../../store/inspect/file-summaries.ts";
import { type LockedStore, lockStore } from "../../store/lock-store.ts";
import { removeFile } from "../../store/store-directory.ts";
import { dayMs, dayOf } from "../../store/store-file-name.ts";
import type { StoreLocation } from "../../store/store-location.ts";
import { StoreWriter } from "../../store/store-writer.ts";
import { parseArguments, UsageError } from "../arguments.ts";
import type { Command } from "../command.ts";
import { configFlag } from "../run.ts";
import { assertOwner, configuredStore } from "./configured-store.ts";

/**
 * `loom store prune`. Beside a running Loom it removes only files that are not written any more; Loom notices that they are
 * gone, and its log says so.
 */
export const prune: Command = {
  name: "prune",
  usage: [
    {
      synopsis: "loom store prune -config loom.toml",
      summary: "remove old files of the store, whole days only",
      flags: [
        { synopsis: "-before YYYY-MM-DD", summary: "those of the days (UTC) before this one" },
        { synopsis: "-days N", summary: "those of days that are more than N days ago" },
        { synopsis: "-dry-run", summary: "only list them" },
      ],
    },
  ],
  async run(args) {
    const { values } = parseArguments(args, {
      ...configFlag,
      before: { type: "string" },
      days: { type: "string" },
      "dry-run": { type: "boolean", default: false },
    });
    const day = firstKeptDay(values.before, values.days);
    const { location } = await configuredStore(values.config);
    const text = await pruneStore(location, day, values["dry-run"]);
    await createDescriptorWriter(1).write(Buffer.from(text));
  },
};

/** @param day files of earlier days are removed @returns what was done, for people */
async function pruneStore(location: StoreLocation, day: number, isDryRun: boolean): Promise<string> {
  const files = summarizeFiles(location.dir);
  const old = files.filter(({ name }) => name.day < day);
  if (old.length === 0) return "no file of the store is that old\n";
  assertOwner(location.dir);
  const locked = await tryLock(location);
  const written = locked ? undefined : files.at(-1);
  const chosen = old.filter((file) => file !== written);
  try {
    if (!isDryRun && locked) removeAll(locked, day);
    else if (!isDryRun) for (const { name } of chosen) removeFile(location.dir, name);
  } finally {
    locked?.lock.release();
  }
  // A file of a newer format is left alone.
  const removed = chosen.filter(({ name }) => isDryRun || !existsSync(join(location.dir, name.name)));
  const verb = isDryRun ? "would be removed" : "removed";
  const lines = old.map((file) => {
    const why = file === written ? "a running Loom writes it" : "this version of Loom does not use it";
    const outcome = removed.includes(file) ? verb : `stays, because ${why}`;
    return `${file.name.name}: ${contentOf([file])}, ${outcome}`;
  });
  lines.push(`${removed.length} ${removed.length === 1 ? "file" : "files"}, ${contentOf(removed)}, ${verb}`);
  return `${lines.join("\n")}\n`;
}

async function tryLock(location: StoreLocation): Promise<LockedStore | undefined> {
  try {
    return await lockStore(location);
  } catch (error) {
    if (error instanceof DirectoryInUse) return undefined;
    throw error;
  }
}

function removeAll({ dir, maxBytes, maxDays }: LockedStore, day: number): void {
  const writer = StoreWriter.open({ dir, maxBytes, maxDays, note: () => {} });
  writer.prune(day);
  writer.close();
}

function contentOf(files: readonly FileSummary[]): string {
  const events = files.reduce((sum, { rows = 0 }) => sum + rows, 0);
  return `${events} events, ${files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)} bytes`;
}

/** @returns in days since the epoch @throws UsageError */
function firstKeptDay(before: string | undefined, days: string | undefined): number {
  if ((before === undefined) === (days === undefined)) throw new UsageError("needs either -before or -days");
  if (days !== undefined) {
    if (!/^\d{1,5}$/.test(days)) throw new UsageError(`-days "${days}" is not an integer from 0 to 99999`);
    return dayOf(Date.now()) - Number(days);
  }
  const ms = /^\d{4}-\d\d-\d\d$/.test(before ?? "") ? Date.parse(before ?? "") : Number.NaN;
  // Date.parse takes the 31st of a shorter month for a day of the next one.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== before)
    throw new UsageError(`-before "${before}" is not a day such as 2026-11-25`);
  return ms / dayMs;
}
