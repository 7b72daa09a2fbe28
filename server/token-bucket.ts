/**
 * A token bucket. It holds at most as many tokens as it earns in one second, is full at the start, and may be
 * overdrawn. An overdraft is paid back before anything else is given out, so that a caller can take a batch whole that
 * is larger than one second's allowance.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /**
   * @param perSecond the number of tokens earned per second, and the most that the bucket holds
   * @param now a monotonic clock in milliseconds
   */
  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#tokens = perSecond;
    this.#filledAt = now();
  }

  /**
   * The number of tokens in the bucket now, below zero while it is overdrawn.
   * @param share the part of its rate that the bucket earned since the last call of any method, 0 to 1
   */
  tokens(share = 1): number {
    const now = this.#now();
    const earned = ((now - this.#filledAt) / 1000) * this.#perSecond * share;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + earned);
    this.#filledAt = now;
    return this.#tokens;
  }

  /** Seconds until the bucket holds this many tokens; 0 if it holds them now. */
  secondsUntil(tokens: number): number {
    return Math.max(0, (tokens - this.tokens()) / this.#perSecond);
  }

  /** Takes tokens even if the bucket does not hold that many. */
  charge(tokens: number): void {
    this.#tokens = this.tokens() - tokens;
  }

  /** Takes one token if the bucket holds one. */
  tryTake(): boolean {
    if (this.tokens() < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
