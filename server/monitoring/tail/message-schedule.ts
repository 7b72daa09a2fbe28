/** When the messages of one connection are due: at every tick, and at once when the stream is to end. */
export class MessageSchedule {
  readonly #tickMs: number;
  #isStopping = false;
  #isClosed = false;
  #endWait = () => {};

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** The next message is the last one but the goodbye. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Nobody reads the stream any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when the next message is due. */
  nextTick(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#isStopping || this.#isClosed) resolve();
    else {
      const timer = setTimeout(resolve, this.#tickMs);
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    }
    return promise;
  }

  stop(): void {
    this.#isStopping = true;
    this.#endWait();
  }

  close(): void {
    this.#isClosed = true;
    this.#endWait();
  }
}
