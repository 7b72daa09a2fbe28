import type { Log } from "../telemetry/log.ts";

/** After this many consecutive questions without an answer the resolver counts as away. */
export const awayAfterUnanswered = 8;
/** How often a resolver that is away is asked again, to find out whether it is back. */
export const probeIntervalMs = 1000;

/** Decides whether the resolver may be asked: while it is away, only one question per `probeIntervalMs` may be sent. */
export class ResolverHealth {
  readonly #resolver: string;
  readonly #log: Pick<Log, "info" | "warn"> | undefined;
  readonly #now: () => number;
  #unansweredInARow = 0;
  #isAway = false;
  #nextProbeAtMs = 0;

  /**
   * @param resolver its name, for the log
   * @param now a monotonic clock in milliseconds
   */
  constructor(resolver: string, log: Pick<Log, "info" | "warn"> | undefined, now: () => number) {
    this.#resolver = resolver;
    this.#log = log;
    this.#now = now;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** Whether a question may be sent now. */
  get mayAsk(): boolean {
    return !this.#isAway || this.#now() >= this.#nextProbeAtMs;
  }

  /** To be called for each question that is sent. */
  noteAsked(): void {
    this.#nextProbeAtMs = this.#now() + probeIntervalMs;
  }

  noteUnanswered(): void {
    this.#unansweredInARow++;
    if (this.#isAway || this.#unansweredInARow < awayAfterUnanswered) return;
    this.#isAway = true;
    this.#log?.warn("DNS resolver does not answer; events get no source.domain until it answers again", {
      resolver: this.#resolver,
      unanswered: this.#unansweredInARow,
    });
  }

  noteAnswered(): void {
    this.#unansweredInARow = 0;
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#log?.info("DNS resolver answers again", { resolver: this.#resolver });
  }
}
