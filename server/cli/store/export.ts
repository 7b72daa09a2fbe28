import { StoreHistory } from "../../history/store-history.ts";
import { parseArguments, UsageError } from "../arguments.ts";
import type { Command } from "../command.ts";
import { columnsOf, queryOf, splitArguments } from "../query-arguments.ts";
import { readHistory, writeEvents } from "../read-history.ts";
import { configFlag } from "../run.ts";
import { configuredStore } from "./configured-store.ts";

const formats = ["ndjson", "csv"] as const;

/** `loom store export`. It only reads, also beside the Loom that writes the store. */
export const exportStore: Command = {
  name: "export",
  usage: [
    {
      synopsis: "loom store export [QUERY] -config loom.toml",
      summary: "print all events of the store, or those that match, the oldest first",
      flags: [
        {
          synopsis: "-format ndjson|csv",
          summary: "ndjson, which is the default, has each event as it was delivered",
        },
        { synopsis: "-columns NAME,NAME", summary: "columns of csv, as for loom search" },
      ],
    },
  ],
  handlesSignals: true,
  async run(args) {
    const options = { ...configFlag, format: { type: "string" }, columns: { type: "string" } } as const;
    const { flags, words } = splitArguments(args, Object.keys(options));
    const { values } = parseArguments(flags, options);
    const query = queryOf(words);
    const format = formats.find((name) => name === (values.format ?? "ndjson"));
    if (!format) throw new UsageError(`-format "${values.format}" is not one of ${formats.join(", ")}`);
    if (format === "ndjson" && values.columns !== undefined)
      throw new UsageError("-columns is for csv; ndjson has whole documents");
    const columns = values.columns === undefined ? undefined : columnsOf(values.columns);
    await readHistory(
      { title: "exporting", name: "loom store export" },
      async () => StoreHistory.inThread((await configuredStore(values.config)).location.dir),
      (history, running) => writeEvents(history, { query, format, columns, limit: undefined }, running),
    );
  },
};
