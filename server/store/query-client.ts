import { WrongCursor } from "../history/cursor.ts";
import { HistoryUnavailable, type QueryOptions } from "../history/history-reader.ts";
import { workerFile } from "../worker-file.ts";
import type { QueryFailure, QueryMessage, QueryRequest } from "./query-messages.ts";
import type { QueryRunner } from "./query-runner.ts";
import { defaultDeadlineMs } from "./search/query-engine.ts";
import type { StoreAnswer, StoreAnswers, StoreQuery } from "./search/store-query.ts";

export interface QueryClientOptions {
  readonly dir: string;
  /** The worker ends after this time without a query; default 60 s. */
  readonly idleMs?: number;
  /** The number of queries that may wait, beside the one that is computed; default 16. */
  readonly maxWaiting?: number;
  /** Starts the worker; replaced in tests. */
  readonly startWorker?: () => Worker;
}

interface Task {
  readonly id: number;
  readonly query: StoreQuery;
  readonly options: QueryOptions;
  /** Of performance.now(). */
  readonly addedAt: number;
  readonly resolve: (answer: StoreAnswer) => void;
  readonly reject: (reason: unknown) => void;
}

const defaultIdleMs = 60_000;
const defaultMaxWaiting = 16;
/** A query that has waited gets at least this share of its time. */
const leastShare = 0.2;

/**
 * Runs queries in a worker, one at a time, in the order in which they came. The worker is started by the first query and
 * ends when there was none for a while, so that its memory is free; one that has ended otherwise is started again.
 */
export class QueryClient implements QueryRunner {
  readonly #options: QueryClientOptions;
  readonly #startWorker: () => Worker;
  #worker: Worker | undefined;
  #waiting: Task[] = [];
  #running: Task | undefined;
  #lastId = 0;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: QueryClientOptions) {
    this.#options = options;
    this.#startWorker =
      options.startWorker ?? (() => new Worker(workerFile("server/store/query-worker.ts"), { smol: true }));
  }

  /** Whether the worker exists. */
  get isWorking(): boolean {
    return this.#worker !== undefined;
  }

  async run<Kind extends StoreQuery["kind"]>(
    query: StoreQuery & { readonly kind: Kind },
    options: QueryOptions = {},
  ): Promise<StoreAnswers[Kind]> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#isClosed) throw new HistoryUnavailable("the store is closed");
    // The pieces of an export follow one another, so that there are never many of them.
    const maxWaiting = this.#options.maxWaiting ?? defaultMaxWaiting;
    if (this.#waiting.length >= maxWaiting && query.kind !== "export")
      throw new HistoryUnavailable(`${maxWaiting} queries are waiting already; try again later`);
    const { promise, resolve, reject } = Promise.withResolvers<StoreAnswer>();
    const task = { id: ++this.#lastId, query, options, addedAt: performance.now(), resolve, reject };
    const cancel = () => this.#cancel(task, signal?.reason);
    signal?.addEventListener("abort", cancel, { once: true });
    this.#waiting.push(task);
    this.#runNext();
    try {
      // The kind of the answer is that of the query.
      return (await promise) as StoreAnswers[Kind];
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endWorker();
    for (const task of [this.#running, ...this.#waiting])
      task?.reject(new HistoryUnavailable("the store is closed"));
    this.#waiting = [];
    this.#running = undefined;
  }

  #runNext(): void {
    if (this.#running) return;
    const task = this.#waiting.shift();
    clearTimeout(this.#idleTimer);
    if (!task) {
      this.#idleTimer = setTimeout(() => this.#endWorker(), this.#options.idleMs ?? defaultIdleMs);
      this.#idleTimer.unref();
      return;
    }
    this.#running = task;
    const { id, query, addedAt, options } = task;
    const deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
    const waitedMs = performance.now() - addedAt;
    this.#send({
      kind: "query",
      id,
      query,
      deadlineMs: Math.max(deadlineMs - waitedMs, deadlineMs * leastShare),
    });
  }

  /** The next query begins when the worker has answered, which it does soon. */
  #cancel(task: Task, reason: unknown): void {
    task.reject(reason);
    this.#waiting = this.#waiting.filter((other) => other !== task);
    if (this.#running === task) this.#send({ kind: "cancel", id: task.id });
  }

  #send(request: QueryRequest): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = this.#startWorker();
    worker.addEventListener("message", ({ data }: MessageEvent<QueryMessage>) => {
      if (worker === this.#worker) this.#receive(data);
    });
    worker.addEventListener("error", (event) => this.#ended(worker, event.message));
    worker.addEventListener("close", () => this.#ended(worker, "it exited"));
    // What keeps the process running is Loom, not the worker.
    worker.unref();
    worker.postMessage({ kind: "open", dir: this.#options.dir } satisfies QueryRequest);
    return worker;
  }

  #receive(message: QueryMessage): void {
    const task = this.#running;
    if (message.id !== task?.id) return;
    switch (message.kind) {
      case "progress":
        if (!task.options.signal?.aborted) task.options.onProgress?.(message.progress);
        return;
      case "answer":
        task.resolve(message.answer);
        break;
      case "failure":
        task.reject(errorOf(message.failure));
    }
    this.#running = undefined;
    this.#runNext();
  }

  #ended(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    this.#endWorker();
    this.#running?.reject(
      new HistoryUnavailable(
        `the worker that searches the store has ended: ${why}; the next query starts it again`,
      ),
    );
    this.#running = undefined;
    this.#runNext();
  }

  #endWorker(): void {
    clearTimeout(this.#idleTimer);
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.terminate();
  }
}

function errorOf({ name, message }: QueryFailure): Error {
  switch (name) {
    case "RangeError":
      return new RangeError(message);
    case "WrongCursor":
      return new WrongCursor(message);
    case "HistoryUnavailable":
      return new HistoryUnavailable(message);
    default:
      return new Error(`BUG: a query failed: ${name}: ${message}`);
  }
}
