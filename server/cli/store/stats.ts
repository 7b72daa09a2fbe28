import { createDescriptorWriter } from "../../descriptor-writer.ts";
import { StoreHistory } from "../../history/store-history.ts";
import { type FileSummary, listSetAside, summarizeFiles } from "../../store/inspect/file-summaries.ts";
import { storedSizeLimit } from "../../store/size-limit.ts";
import { dayMs } from "../../store/store-file-name.ts";
import type { StoreLocation } from "../../store/store-location.ts";
import { printable } from "../../text/printable.ts";
import { parseArguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { configFlag } from "../run.ts";
import { configuredStore } from "./configured-store.ts";

/** `loom store stats`. It only reads, also beside the Loom that writes the store. */
export const stats: Command = {
  name: "stats",
  usage: [
    {
      synopsis: "loom store stats -config loom.toml",
      summary: "list the files of the store, their events and sizes, and the limits",
    },
  ],
  async run(args) {
    const { values } = parseArguments(args, configFlag);
    const { location } = await configuredStore(values.config);
    await createDescriptorWriter(1).write(Buffer.from(await textOf(location)));
  },
};

async function textOf(location: StoreLocation): Promise<string> {
  const { dir } = location;
  const files = summarizeFiles(dir);
  const history = StoreHistory.inThread(dir);
  const { oldest, newest } = await history.coverage();
  await history.close();
  const received =
    oldest === undefined || newest === undefined ? "nothing" : `${timeOf(oldest)} to ${timeOf(newest)}`;
  return [
    ...table(files),
    "",
    `directory  ${printable(dir)}`,
    `received   ${received}`,
    `limits     ${await sizeLimitOf(location)}, ${location.maxDays} days`,
    `damaged/   ${damagedText(dir)}`,
    "",
  ].join("\n");
}

function table(files: readonly FileSummary[]): string[] {
  const rows = files.map(({ name, rows, sizeBytes }) => [
    name.name,
    new Date(name.day * dayMs).toISOString().slice(0, 10),
    rows === undefined ? "unreadable" : String(rows),
    String(sizeBytes),
    perEvent(sizeBytes, rows),
  ]);
  const events = files.reduce((sum, file) => sum + (file.rows ?? 0), 0);
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const count = `${files.length} ${files.length === 1 ? "file" : "files"}`;
  const all = [
    ["FILE", "DAY", "EVENTS", "BYTES", "BYTES/EVENT"],
    ...rows,
    [count, "", String(events), String(bytes), perEvent(bytes, events)],
  ];
  const widths = all[0]?.map((_, at) => Math.max(...all.map((cells) => cells[at]?.length ?? 0))) ?? [];
  return all.map((cells) =>
    cells
      .map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  "),
  );
}

function perEvent(bytes: number, events: number | undefined): string {
  return events ? String(Math.round(bytes / events)) : "";
}

async function sizeLimitOf({ dir, maxBytes }: StoreLocation): Promise<string> {
  if (maxBytes !== undefined) return `${maxBytes} bytes`;
  const stored = await storedSizeLimit(dir);
  if (stored === undefined) return "a size that the first start decides (store_max_bytes is not set)";
  return `${stored} bytes (decided at the first start; store_max_bytes is not set)`;
}

function damagedText(dir: string): string {
  const found = listSetAside(dir).map(({ name, sizeBytes }) => `${printable(name)} (${sizeBytes} bytes)`);
  return found.length === 0 ? "nothing" : `${found.join(", ")}; Loom does not use them`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
