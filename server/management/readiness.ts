/** Reasons why a part of Loom does not work; undefined: it works. */
export interface Problems {
  /** Why no batch can be kept now or soon. */
  ingestProblem(): string | undefined;
  /** The same, or why an output cannot be used. */
  problem(): string | undefined;
}

/** What `/ready` and `/ready/ingest` answer: the problems of the outputs, and during a shutdown that Loom is shutting down. */
export class Readiness {
  readonly #outputs: Problems;
  #isStopping = false;

  constructor(outputs: Problems) {
    this.#outputs = outputs;
  }

  /** From now on nothing is ready. */
  startShutdown(): void {
    this.#isStopping = true;
  }

  readonly problem = (): string | undefined => (this.#isStopping ? "shutting down" : this.#outputs.problem());

  readonly ingestProblem = (): string | undefined =>
    this.#isStopping ? "shutting down" : this.#outputs.ingestProblem();
}
