export interface RateLimitsOptions {
  /** Requests a second per sensor, with as many at once; undefined: no limit. */
  readonly perSensorRps: number | undefined;
  /** Events a second per sensor; undefined: no limit. */
  readonly perSensorEventsRps: number | undefined;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

export interface RateLimits {
  /** @returns 0 when the request may go on, else the seconds after which one may. */
  takeRequest(sensorId: string): number;
  /**
   * Charges a batch that was taken. A batch is atomic and may be larger than a second's allowance, so the account may
   * go below zero: the sensor's next requests are refused until it is paid back.
   */
  chargeEvents(sensorId: string, eventCount: number): void;
}

/** A token bucket a sensor for each limit. Only for sensors that are known: a bucket stays for good. */
export function createRateLimits(options: RateLimitsOptions): RateLimits {
  const now = options.now ?? (() => performance.now());
  const requests = options.perSensorRps === undefined ? undefined : new Buckets(options.perSensorRps, now);
  const events =
    options.perSensorEventsRps === undefined ? undefined : new Buckets(options.perSensorEventsRps, now);
  return {
    takeRequest(sensorId) {
      const wait = Math.max(requests?.secondsUntil(sensorId, 1) ?? 0, events?.secondsUntil(sensorId, 0) ?? 0);
      if (wait === 0) requests?.charge(sensorId, 1);
      return Math.ceil(wait);
    },
    chargeEvents: (sensorId, eventCount) => events?.charge(sensorId, eventCount),
  };
}

interface Bucket {
  tokens: number;
  updatedAt: number;
}

class Buckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #perSecond: number;
  readonly #now: () => number;

  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Seconds until the bucket holds this much; 0 when it does. */
  secondsUntil(sensorId: string, tokens: number): number {
    return Math.max(0, (tokens - this.#filled(sensorId).tokens) / this.#perSecond);
  }

  charge(sensorId: string, tokens: number): void {
    this.#filled(sensorId).tokens -= tokens;
  }

  #filled(sensorId: string): Bucket {
    const now = this.#now();
    let bucket = this.#buckets.get(sensorId);
    if (!bucket) {
      bucket = { tokens: this.#perSecond, updatedAt: now };
      this.#buckets.set(sensorId, bucket);
    }
    const earned = ((now - bucket.updatedAt) / 1000) * this.#perSecond;
    bucket.tokens = Math.min(this.#perSecond, bucket.tokens + earned);
    bucket.updatedAt = now;
    return bucket;
  }
}
