/** Runs asynchronous tasks one after the other, in the order in which they were added. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `task` after all earlier tasks have settled. @returns what the task returns or throws. */
  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(task);
    // The caller receives the error. The next task runs all the same.
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when every task that was added before the call has settled. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
