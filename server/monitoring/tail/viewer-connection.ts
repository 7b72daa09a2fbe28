import { MessageSchedule } from "./message-schedule.ts";
import type { MessageSource, Viewer } from "./message-source.ts";
import { viewerMessages } from "./viewer-messages.ts";

/** The stream of one viewer. A message is built only when the stream's reader asks for one. */
export class ViewerConnection {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #schedule: MessageSchedule;
  readonly #messages: ReturnType<typeof viewerMessages>;
  readonly #onClosed: () => void;
  readonly #closed = Promise.withResolvers<void>();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  /** @param onClosed called once, when the stream has ended or its reader is gone */
  constructor(source: MessageSource, viewer: Viewer, tickMs: number, onClosed: () => void) {
    this.#onClosed = onClosed;
    this.#schedule = new MessageSchedule(tickMs);
    this.#messages = viewerMessages(source, viewer, this.#schedule);
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: (controller) => this.#pull(controller),
        cancel: () => this.#close(),
      },
      // No message is built in advance.
      { highWaterMark: 0 },
    );
  }

  /** Sends the events up to now. Resolves when the last message is read, or the reader is gone. */
  stop(): Promise<void> {
    this.#schedule.stop();
    return this.#closed.promise;
  }

  /** Ends the stream of a viewer that does not read. */
  abort(): void {
    if (this.#schedule.isClosed) return;
    this.#controller?.close();
    this.#close();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const { value, done } = await this.#messages.next();
      if (this.#schedule.isClosed) return;
      if (value) controller.enqueue(value);
      if (!done) return;
      controller.close();
      this.#close();
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  #close(): void {
    if (this.#schedule.isClosed) return;
    this.#schedule.close();
    this.#closed.resolve();
    this.#onClosed();
  }
}
