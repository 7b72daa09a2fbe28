/** A query took too long: what was found so far is the answer. */
export class DeadlinePassed extends Error {
  override readonly name = "DeadlinePassed";
}

/** When a query has to end: after a time, or when the client has gone away. */
export class Deadline {
  /** Ends the requests of the query. */
  readonly signal: AbortSignal;
  readonly #client: AbortSignal | undefined;
  readonly #endsAt: number;

  /** @param client ends the query; its reason is thrown then */
  constructor(durationMs: number, client?: AbortSignal) {
    this.#endsAt = performance.now() + durationMs;
    this.#client = client;
    const late = AbortSignal.timeout(Math.max(0, Math.ceil(durationMs)));
    this.signal = client ? AbortSignal.any([client, late]) : late;
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  /** @throws the reason of the client's signal, or DeadlinePassed */
  check(): void {
    this.#client?.throwIfAborted();
    if (this.signal.aborted || this.remainingMs === 0) throw new DeadlinePassed();
  }
}
