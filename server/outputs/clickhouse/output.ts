import { createHash } from "node:crypto";
import type { StoredEvent } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import { compress, type EncodedBody } from "../http/gzip.ts";
import { withoutSecrets } from "../http/without-secrets.ts";
import type { Delivery, Output, SendOutcome } from "../output.ts";
import { createClickhouseClient, credentialsOf } from "./client.ts";
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
  /** Creates the table when an INSERT finds that it does not exist. */
  readonly createTable: boolean;
  readonly log: Log;
}

/**
 * Sends events to ClickHouse with one INSERT for each delivery. It is one block, so all of its rows are inserted or none.
 * A retry sends the same rows with the same token. Servers from 22.2 on store them once in a table with a deduplication
 * window. Older servers, and MergeTree tables without a window, store them twice if the first answer was lost.
 */
export function createClickhouseOutput(options: ClickhouseOptions): Output {
  const { database, table } = options;
  const log = options.log.component("clickhouse");
  const execute = createClickhouseClient(options);
  const insertQuery = `INSERT INTO ${quoteTable(options)} (event) FORMAT JSONEachRow`;
  /** Queried again after every failure, because another server may answer by then. */
  let version: ServerVersion | undefined;

  async function queryVersion(signal: AbortSignal): Promise<ServerVersion | SendOutcome> {
    const answer = await execute({ query: "SELECT version()" }, signal);
    const isAnswer = answer.kind === "answered" && answer.status === 200 && answer.isWhole;
    if (!isAnswer || exceptionCode(answer) !== undefined)
      return withoutRows(answer.kind === "failed" ? options.url : "SELECT version()", judgeAnswer(answer));
    const found = tryParseVersion(answer.body);
    if (found === undefined)
      return {
        kind: "hold",
        reason: "SELECT version(): the answer is not a version; is clickhouse_url a ClickHouse server?",
      };
    log.info("connected to ClickHouse", { version: answer.body.trim() });
    return found;
  }

  async function insert(rows: Rows, server: ServerVersion, signal: AbortSignal): Promise<SendOutcome> {
    const parameters = { query: insertQuery, ...insertSettings(server, rows.token) };
    const answer = await execute(parameters, signal, rows);
    if (!options.createTable || exceptionCode(answer) !== unknownTable) return judgeAnswer(answer);
    const created = judgeAnswer(await execute({ query: createTableStatement(options, server) }, signal));
    if (created.kind !== "delivered") return withoutRows("CREATE TABLE", created);
    log.info("created the table in ClickHouse", { database, table });
    return judgeAnswer(await execute(parameters, signal, rows));
  }

  async function send(delivery: Delivery, signal: AbortSignal): Promise<SendOutcome> {
    if (version === undefined) {
      const found = await queryVersion(signal);
      if ("kind" in found) return found;
      version = found;
    }
    const outcome = await insert(await createRows(delivery), version, signal);
    if (outcome.kind === "retry" || outcome.kind === "hold") version = undefined;
    return outcome;
  }

  async function isReachable(signal: AbortSignal): Promise<boolean> {
    const answer = await execute({ query: "SELECT 1" }, signal);
    return answer.kind === "answered" && answer.status === 200 && answer.body.trim() === "1";
  }

  // There is nothing to close: every request has its own connection.
  return withoutSecrets({ name: "clickhouse", send, isReachable, close() {} }, credentialsOf(options));
}

interface Rows extends EncodedBody {
  /** Identifies the batch. */
  readonly token: string;
}

async function createRows({ outboxId, events }: Delivery): Promise<Rows> {
  return { token: deduplicationToken(outboxId, events), ...(await compress(encodeRows(events))) };
}

/**
 * The same token for the same events, and another one for other events: ClickHouse drops an INSERT whose token it knows. If
 * there are gaps between the events, first and last do not identify them, so a hash of all sequence numbers is added.
 */
function deduplicationToken(outboxId: string, events: readonly StoredEvent[]): string {
  const first = events[0]?.sequence;
  const last = events.at(-1)?.sequence;
  if (first === undefined || last === undefined) throw new Error("BUG: a delivery without events");
  const range = `${outboxId}-${first}-${last}`;
  if (events.length === last - first + 1) return range;
  const sequences = events.map(({ sequence }) => sequence).join(",");
  return `${range}-${createHash("sha256").update(sequences).digest("hex").slice(0, 32)}`;
}

/** The outcome of a statement without rows, which cannot be split. */
function withoutRows(statement: string, outcome: SendOutcome): SendOutcome {
  if (outcome.kind === "delivered") return outcome;
  const reason = `${statement}: ${outcome.reason}`;
  if (outcome.kind === "split") return { kind: "hold", reason };
  return outcome.kind === "suspect" ? { kind: "retry", reason } : { ...outcome, reason };
}
