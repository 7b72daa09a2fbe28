/**
 * A token bucket: it holds as many tokens as one second brings, is full at the start, and may be overdrawn. An overdraft
 * is paid back before anything else is given out, so that a batch larger than one second's allowance can be taken whole.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /**
   * @param perSecond tokens per second, and the most that the bucket holds
   * @param now a monotonic clock in milliseconds
   */
  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#tokens = perSecond;
    this.#filledAt = now();
  }

  /**
   * Tokens held now, below zero while overdrawn.
   * @param share how much of its rate the bucket earned since it was last looked at, 0 to 1
   */
  tokens(share = 1): number {
    const now = this.#now();
    const earned = ((now - this.#filledAt) / 1000) * this.#perSecond * share;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + earned);
    this.#filledAt = now;
    return this.#tokens;
  }

  /** Seconds until the bucket holds this many tokens; 0 when it does. */
  secondsUntil(tokens: number): number {
    return Math.max(0, (tokens - this.tokens()) / this.#perSecond);
  }

  /** Takes tokens, whether they are there or not. */
  charge(tokens: number): void {
    this.#tokens = this.tokens() - tokens;
  }

  /** Takes one token if it is there. */
  tryTake(): boolean {
    if (this.tokens() < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
