import { HistoryUnavailable } from "../../../history/history-reader.ts";
import { secretsOf } from "../../../http/credentials.ts";
import { describeFailure } from "../../../http/request-failure.ts";
import { hideSecrets } from "../../../text/hide-secrets.ts";
import { createHttpSender } from "../../http/client.ts";
import { type ClickhouseClientOptions, credentialsOf } from "../client.ts";
import { isAtLeast, type ServerVersion } from "../server-version.ts";
import { ClickhouseException, exceptionOf } from "./clickhouse-exception.ts";
import { type Deadline, DeadlinePassed } from "./deadline.ts";
import { type JsonAnswer, jsonAnswer } from "./json-answer.ts";
import { RowBinaryReader, TruncatedAnswer } from "./row-binary.ts";

const timeoutExceeded = 159;
/** Of an answer that is read as a whole: more than 100,000 values. */
const maxJsonBytes = 16 * 1024 * 1024;

/**
 * Runs SELECT statements for a reader of the history. Values are in the statement as literals (sql-literal.ts), and the
 * statement is in the body, so that its length has no bound.
 */
export class SelectClient {
  readonly #options: ClickhouseClientOptions;
  readonly #send: ReturnType<typeof createHttpSender>;
  readonly #secrets: readonly string[];

  constructor(options: ClickhouseClientOptions) {
    const credentials = credentialsOf(options);
    this.#options = options;
    this.#secrets = secretsOf(credentials);
    this.#send = createHttpSender({ credentials, keepsConnections: false });
  }

  /**
   * Runs a statement without FORMAT, and reads its answer in one piece.
   * @returns the rows, and the totals of a statement that has them
   * @throws HistoryUnavailable, DeadlinePassed, or the reason of the signal that ended it
   */
  async rows(statement: string, deadline: Deadline, version?: ServerVersion): Promise<JsonAnswer> {
    const response = await this.#run(`${statement}\nFORMAT JSONCompact`, deadline, version);
    try {
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of response) {
        chunks.push(chunk);
        length += chunk.length;
        if (length > maxJsonBytes) throw new HistoryUnavailable("ClickHouse's answer is too long");
      }
      return jsonAnswer(Buffer.concat(chunks).toString());
    } catch (error) {
      throw this.#described(error, deadline);
    }
  }

  /** Runs a statement without FORMAT, and reads its rows one after the other. Throws as `rows` does, while reading too. */
  async *stream<Row>(
    statement: string,
    readRow: (reader: RowBinaryReader) => Promise<Row>,
    deadline: Deadline,
    version: ServerVersion,
  ): AsyncGenerator<Row, void, undefined> {
    const reader = new RowBinaryReader(await this.#run(`${statement}\nFORMAT RowBinary`, deadline, version));
    try {
      while (!(await reader.isAtEnd())) {
        yield await readRow(reader);
        deadline.check();
      }
    } catch (error) {
      throw this.#described(error, deadline);
    } finally {
      await reader.close();
    }
  }

  async #run(
    statement: string,
    deadline: Deadline,
    version?: ServerVersion,
  ): Promise<AsyncIterable<Uint8Array>> {
    deadline.check();
    const url = new URL(this.#options.url);
    url.search = new URLSearchParams(settingsOf(deadline, version)).toString();
    try {
      const response = await this.#send({ method: "POST", url: url.href, body: statement }, deadline.signal);
      if (response.status === 200 && response.body !== null) return response.body;
      throw await exceptionOf(response);
    } catch (error) {
      throw this.#described(error, deadline);
    }
  }

  /** The error as the caller gets it, without credentials. */
  #described(error: unknown, deadline: Deadline): unknown {
    deadline.check();
    if (error instanceof ClickhouseException && error.code === timeoutExceeded) return new DeadlinePassed();
    if (error instanceof DeadlinePassed) return error;
    if (error instanceof HistoryUnavailable) {
      error.message = hideSecrets(error.message, this.#secrets);
      return error;
    }
    const { reason } =
      error instanceof TruncatedAnswer ? { reason: error.message } : describeFailure(error, deadline.signal);
    return new HistoryUnavailable(hideSecrets(`ClickHouse: ${reason}`, this.#secrets), { cause: error });
  }
}

/** Settings that a profile of the account may have changed are named, because some of them end a query early without an error. */
function settingsOf(deadline: Deadline, version: ServerVersion | undefined): Record<string, string> {
  return {
    // Settings may still be changed, and nothing be written.
    readonly: "2",
    // Whole seconds: older servers know no others.
    max_execution_time: String(Math.max(1, Math.ceil(deadline.remainingMs / 1000))),
    timeout_overflow_mode: "throw",
    read_overflow_mode: "throw",
    result_overflow_mode: "throw",
    group_by_overflow_mode: "throw",
    // Without it an exception can follow the rows that were already sent, with status 200.
    wait_end_of_query: "1",
    ...(version && isAtLeast(version, 20, 1) && { cancel_http_readonly_queries_on_client_close: "1" }),
  };
}
