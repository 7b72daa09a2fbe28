import { HistoryUnavailable } from "../../../history/history-reader.ts";
import type { Log } from "../../../telemetry/log.ts";
import { unknownTable } from "../judge-answer.ts";
import { addColumnStatements, quoteTable, type TableName } from "../schema.ts";
import { type ServerVersion, tryParseVersion } from "../server-version.ts";
import { ClickhouseException } from "./clickhouse-exception.ts";
import type { Deadline } from "./deadline.ts";
import type { SelectClient } from "./select-client.ts";
import { layoutOf, type TableLayout } from "./table-layout.ts";

export interface InspectedTable {
  readonly layout: TableLayout;
  readonly version: ServerVersion;
}

/** The operator may add columns, and a proxy may lead to another server. */
const maxAgeMs = 60_000;

/** Knows which columns the table has, and says in the log which statements would add those that it lacks. */
export class TableInspector {
  readonly #client: SelectClient;
  readonly #name: TableName;
  readonly #log: Log;
  #known: { readonly table: InspectedTable; readonly at: number } | undefined;
  #loggedMissing = "";

  constructor(client: SelectClient, name: TableName, log: Log) {
    this.#client = client;
    this.#name = name;
    this.#log = log;
  }

  /** @throws HistoryUnavailable if the table does not exist or has no time */
  async inspect(deadline: Deadline): Promise<InspectedTable> {
    if (this.#known && performance.now() - this.#known.at < maxAgeMs) return this.#known.table;
    const version = await this.#version(deadline);
    const layout = layoutOf(await this.#columns(deadline));
    if (layout === undefined) throw new HistoryUnavailable(withoutTime(this.#name));
    this.#noteMissing(layout.missing);
    const table = { layout, version };
    this.#known = { table, at: performance.now() };
    return table;
  }

  /** To be called after a statement failed: the table may have changed. */
  forget(): void {
    this.#known = undefined;
  }

  async #version(deadline: Deadline): Promise<ServerVersion> {
    const [[text] = []] = (await this.#client.rows("SELECT version()", deadline)).rows;
    const version = tryParseVersion(String(text));
    if (version === undefined)
      throw new HistoryUnavailable("ClickHouse: the answer to version() is not a version");
    return version;
  }

  async #columns(deadline: Deadline) {
    try {
      const { rows } = await this.#client.rows(`DESCRIBE TABLE ${quoteTable(this.#name)}`, deadline);
      return rows.map(([name, type]) => ({ name: String(name), type: String(type) }));
    } catch (error) {
      if (!(error instanceof ClickhouseException) || error.code !== unknownTable) throw error;
      const { database, table } = this.#name;
      throw new HistoryUnavailable(`the table ${database}.${table} does not exist in ClickHouse`, {
        cause: error,
      });
    }
  }

  #noteMissing(missing: readonly string[]): void {
    const text = missing.join(", ");
    if (text === this.#loggedMissing) return;
    this.#loggedMissing = text;
    if (text !== "")
      this.#log.warn("the table lacks columns; searches by them read whole events until they are added", {
        columns: text,
        statements: addColumnStatements(this.#name, missing).join("; ").replace(/\s+/g, " "),
      });
  }
}

function withoutTime({ database, table }: TableName): string {
  return (
    `there is no history in ClickHouse: the table ${database}.${table} has no column "timestamp" of type DateTime or ` +
    'DateTime64 beside "event String", so that events cannot be found by time. "loom schema clickhouse" prints a table that has it'
  );
}
