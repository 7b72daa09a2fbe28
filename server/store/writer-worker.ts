import { CannotStore } from "./store-errors.ts";
import { StoreWriter, type StoreWriterOptions } from "./store-writer.ts";
import {
  decodeEvents,
  type WriterFailure,
  type WriterMessage,
  type WriterRequest,
} from "./writer-messages.ts";

/*
 * The worker that writes the store, so that ingest and the other outputs never wait for it. It answers one request after
 * another. It is an entry point of the executable (scripts/compile.ts).
 */

declare const self: Worker;

const maintenanceMs = 60_000;

class WriterWorker {
  readonly #options: StoreWriterOptions;
  /** undefined: the directory could not be opened. The next request tries it again. */
  #writer: StoreWriter | undefined;

  constructor(options: Omit<StoreWriterOptions, "note">) {
    this.#options = {
      ...options,
      note: (level, message, fields) => send({ kind: "note", note: { level, message, fields } }),
    };
    this.maintain();
    setInterval(() => this.maintain(), maintenanceMs);
  }

  append(outboxId: string, events: ArrayBuffer): WriterFailure | undefined {
    return this.#try((writer) => writer.append(outboxId, decodeEvents(events)));
  }

  /** A failure is not reported: the next delivery has the same one. */
  maintain(): void {
    this.#try((writer) => writer.maintain());
  }

  close(): void {
    this.#writer?.close();
  }

  #try(action: (writer: StoreWriter) => void): WriterFailure | undefined {
    try {
      this.#writer ??= StoreWriter.open(this.#options);
      action(this.#writer);
      return undefined;
    } catch (error) {
      const { message } = error as Error;
      return error instanceof CannotStore
        ? { reason: message, isBlocked: error.isBlocked }
        : { reason: `BUG: ${message}`, isBlocked: false };
    } finally {
      if (this.#writer) send({ kind: "report", report: this.#writer.report });
    }
  }
}

let worker: WriterWorker | undefined;

self.onmessage = ({ data }: MessageEvent<WriterRequest>) => {
  switch (data.kind) {
    case "open":
      worker = new WriterWorker(data.options);
      return;
    case "append":
      send({ kind: "appended", id: data.id, failure: worker?.append(data.outboxId, data.events) });
      return;
    case "close":
      worker?.close();
      send({ kind: "closed" });
  }
};

function send(message: WriterMessage): void {
  self.postMessage(message);
}
