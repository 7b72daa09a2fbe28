/** Lets a reader that found nothing wait until an event is stored that its last search did not cover. */
export class AppendWaiters {
  readonly #waiters = new Set<() => void>();
  /** Where the stored events ended when the last search found nothing; undefined after a wait has used it. */
  #searchedTo: number | undefined;

  /** Notes that a search found no event before the sequence number `end`. */
  foundNothing(end: number): void {
    this.#searchedTo = end;
  }

  /**
   * Resolves at the next `wake`, when the signal aborts, or at once if events were stored after the last search.
   * @param end one past the last event that is stored now
   */
  wait(end: number, signal: AbortSignal): Promise<void> {
    const hasGrown = this.#searchedTo !== undefined && end > this.#searchedTo;
    this.#searchedTo = undefined;
    if (hasGrown || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wakeUp = () => {
        this.#waiters.delete(wakeUp);
        signal.removeEventListener("abort", wakeUp);
        resolve();
      };
      this.#waiters.add(wakeUp);
      signal.addEventListener("abort", wakeUp);
    });
  }

  wake(): void {
    for (const wakeUp of [...this.#waiters]) wakeUp();
  }
}
