import { gzip } from "node:zlib";
import type { StoredEvent } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Delivery, Output, SendOutcome } from "../output.ts";
import { withoutSecrets } from "../without-secrets.ts";
import { createAsk, type Fetch } from "./client.ts";
import { encodeRows } from "./encode.ts";
import { exceptionCode, judgeAnswer, unknownTable } from "./judge-answer.ts";
import { createTableStatement, quoteTable } from "./schema.ts";
import { insertSettings, type ServerVersion, tryParseVersion } from "./server-version.ts";

export interface ClickhouseOptions {
  /** http:// or https://, a path allowed, without query and credentials. */
  readonly url: string;
  /** Names of letters, digits and `_`. */
  readonly database: string;
  readonly table: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Makes the table when an INSERT finds none. */
  readonly createTable: boolean;
  readonly log: Log;
  readonly fetch?: Fetch;
}

/** Below this, compressing saves no packet worth the while. */
const minCompressedBytes = 4096;

/**
 * Sends events to ClickHouse as one INSERT a delivery: one block, so all of its rows go in or none.
 * A delivery that is sent again is the same rows with the same token. Servers from 22.2 on, and tables with a
 * deduplication window, keep it once; older ones and MergeTree tables without a window keep it twice when the first
 * answer was lost.
 */
export function createClickhouseOutput(options: ClickhouseOptions): Output {
  const { database, table, log } = options;
  const ask = createAsk({ ...options, fetch: options.fetch ?? ((url, init) => fetch(url, init)) });
  const insertQuery = `INSERT INTO ${quoteTable(options)} (event) FORMAT JSONEachRow`;
  /** Asked again after every failure: another server may stand there by then. */
  let version: ServerVersion | undefined;

  async function askVersion(signal: AbortSignal): Promise<ServerVersion | SendOutcome> {
    const answer = await ask({ query: "SELECT version()" }, signal);
    const isAnswer = answer.kind === "answered" && answer.status === 200;
    if (!isAnswer || exceptionCode(answer) !== undefined)
      return withoutRows("SELECT version()", judgeAnswer(answer));
    const found = tryParseVersion(answer.body);
    if (found === undefined)
      return { kind: "hold", reason: "SELECT version(): no version in the answer; is it ClickHouse?" };
    log.info("connected to ClickHouse", { version: answer.body.trim() });
    return found;
  }

  async function insert(rows: Rows, server: ServerVersion, signal: AbortSignal): Promise<SendOutcome> {
    const parameters = { query: insertQuery, ...insertSettings(server, rows.token) };
    const answer = await ask(parameters, signal, rows);
    if (!options.createTable || exceptionCode(answer) !== unknownTable) return judgeAnswer(answer);
    const created = judgeAnswer(await ask({ query: createTableStatement(options, server) }, signal));
    if (created.kind !== "delivered") return withoutRows("CREATE TABLE", created);
    log.info("created the table in ClickHouse", { database, table });
    return judgeAnswer(await ask(parameters, signal, rows));
  }

  async function send(delivery: Delivery, signal: AbortSignal): Promise<SendOutcome> {
    if (version === undefined) {
      const asked = await askVersion(signal);
      if ("kind" in asked) return asked;
      version = asked;
    }
    const outcome = await insert(await createRows(delivery), version, signal);
    if (outcome.kind === "retry" || outcome.kind === "hold") version = undefined;
    return outcome;
  }

  // Every request has a connection of its own, closed with its answer.
  return withoutSecrets({ name: "clickhouse", send, close() {} }, options);
}

interface Rows {
  readonly token: string;
  readonly body: Buffer;
  readonly encoding: "gzip" | undefined;
}

/** On a thread of the pool, at level 1: a quarter of the bytes for 3 ms a megabyte, and every server takes gzip. */
async function createRows({ outboxId, events }: Delivery): Promise<Rows> {
  const token = deduplicationToken(outboxId, events);
  const body = encodeRows(events);
  if (body.length < minCompressedBytes) return { token, body, encoding: undefined };
  const compressed = await new Promise<Buffer>((resolve, reject) =>
    gzip(body, { level: 1 }, (error, result) => (error ? reject(error) : resolve(result))),
  );
  return { token, body: compressed, encoding: "gzip" };
}

/**
 * The same for the same events, another for others. Events with gaps between them are counted: dead letters 3 and 9
 * sent again must not be taken for the batch 3 to 9.
 */
function deduplicationToken(outboxId: string, events: readonly StoredEvent[]): string {
  const first = events[0]?.sequence;
  const last = events.at(-1)?.sequence;
  if (first === undefined || last === undefined) throw new Error("BUG: a delivery without events");
  const hasGaps = events.length !== last - first + 1;
  return `${outboxId}-${first}-${last}${hasGaps ? `-${events.length}` : ""}`;
}

/** An outcome of a statement that carries no rows: there is nothing to split. */
function withoutRows(statement: string, outcome: SendOutcome): SendOutcome {
  if (outcome.kind === "delivered") return outcome;
  const reason = `${statement}: ${outcome.reason}`;
  return outcome.kind === "split" ? { kind: "hold", reason } : { ...outcome, reason };
}
