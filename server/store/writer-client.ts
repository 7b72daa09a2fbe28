import { workerFile } from "../worker-file.ts";
import type { StoreNotes } from "./store-notes.ts";
import { noReport, type StoreEvent, type StoreReport } from "./store-writer.ts";
import {
  encodeEvents,
  type WriterFailure,
  type WriterMessage,
  type WriterRequest,
} from "./writer-messages.ts";

export interface WriterClientOptions {
  readonly dir: string;
  readonly maxBytes: number;
  readonly maxDays: number;
  readonly note: StoreNotes;
  /** Starts the worker; replaced in tests. */
  readonly startWorker?: () => Worker;
}

interface Pending {
  readonly id: number;
  readonly resolve: (failure: WriterFailure | undefined) => void;
}

/** Writes the store in a worker. A worker that has ended is started again by the next delivery. */
export class WriterClient {
  readonly #options: WriterClientOptions;
  readonly #startWorker: () => Worker;
  #worker: Worker | undefined;
  #pending: Pending | undefined;
  #lastId = 0;
  /** What the workers before this one counted. */
  #countedBefore = { expiredEvents: 0, damagedEvents: 0 };
  #report = noReport;
  #closed = Promise.withResolvers<void>();
  #isClosing = false;

  /** Starts the worker. */
  constructor(options: WriterClientOptions) {
    this.#options = options;
    this.#startWorker =
      options.startWorker ?? (() => new Worker(workerFile("server/store/writer-worker.ts")));
    this.#start();
  }

  get report(): StoreReport {
    const { expiredEvents, damagedEvents } = this.#countedBefore;
    return {
      ...this.#report,
      expiredEvents: this.#report.expiredEvents + expiredEvents,
      damagedEvents: this.#report.damagedEvents + damagedEvents,
    };
  }

  /**
   * Stores events of one outbox, except those that are stored already. A call fails while another one is in progress: a disk
   * that hangs must not collect deliveries that were given up.
   * @returns why none of them counts as stored; undefined: they are on disk
   */
  append(outboxId: string, events: readonly StoreEvent[]): Promise<WriterFailure | undefined> {
    if (this.#isClosing) return Promise.resolve({ reason: "the store is closed", isBlocked: false });
    if (this.#pending)
      return Promise.resolve({ reason: "the disk has not finished the last delivery", isBlocked: false });
    const worker = this.#worker ?? this.#start();
    const { promise, resolve } = Promise.withResolvers<WriterFailure | undefined>();
    const id = ++this.#lastId;
    this.#pending = { id, resolve };
    const encoded = encodeEvents(events);
    worker.postMessage({ kind: "append", id, outboxId, events: encoded } satisfies WriterRequest, [encoded]);
    return promise;
  }

  /** Completes the delivery in progress, closes the store's file and ends the worker. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.postMessage({ kind: "close" } satisfies WriterRequest);
    await this.#closed.promise;
    worker.terminate();
  }

  #start(): Worker {
    const worker = this.#startWorker();
    worker.addEventListener("message", ({ data }: MessageEvent<WriterMessage>) => {
      if (worker === this.#worker) this.#receive(data);
    });
    worker.addEventListener("error", (event) => this.#ended(worker, event.message));
    worker.addEventListener("close", () => this.#ended(worker, "it exited"));
    // What keeps the process running is Loom, not the worker.
    worker.unref();
    const { dir, maxBytes, maxDays } = this.#options;
    worker.postMessage({ kind: "open", options: { dir, maxBytes, maxDays } } satisfies WriterRequest);
    this.#worker = worker;
    return worker;
  }

  #receive(message: WriterMessage): void {
    switch (message.kind) {
      case "note":
        this.#options.note(message.note.level, message.note.message, message.note.fields);
        return;
      case "report":
        this.#report = message.report;
        return;
      case "appended":
        if (message.id === this.#pending?.id) this.#settle(message.failure);
        return;
      case "closed":
        this.#closed.resolve();
    }
  }

  #ended(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#closed.resolve();
    worker.terminate();
    if (this.#isClosing) return;
    const { expiredEvents, damagedEvents } = this.report;
    this.#countedBefore = { expiredEvents, damagedEvents };
    this.#report = { ...this.#report, expiredEvents: 0, damagedEvents: 0 };
    this.#options.note(
      "error",
      "the worker that writes the store has ended; the next delivery starts it again",
      {
        error: why,
      },
    );
    this.#settle({ reason: `the worker that writes the store has ended: ${why}`, isBlocked: false });
  }

  #settle(failure: WriterFailure | undefined): void {
    this.#pending?.resolve(failure);
    this.#pending = undefined;
  }
}
