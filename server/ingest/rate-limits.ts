import { TokenBucket } from "../token-bucket.ts";

export interface RateLimitsOptions {
  /** Requests per second per sensor, and the size of a burst; undefined: no limit. */
  readonly perSensorRps: number | undefined;
  /** Events per second per sensor; undefined: no limit. */
  readonly perSensorEventsRps: number | undefined;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

export interface RateExcess {
  /** The number of whole seconds after which the sensor may try again. */
  readonly waitSeconds: number;
  /** "over 20 requests/s" */
  readonly detail: string;
}

export interface RateLimits {
  /** @returns undefined if the request may proceed */
  takeRequest(sensorId: string): RateExcess | undefined;
  /**
   * Charges the events of a valid batch. A batch is atomic and may be larger than one second's allowance, so this may
   * overdraw the sensor's bucket: its next requests are refused until the overdraft is paid back.
   */
  chargeEvents(sensorId: string, eventCount: number): void;
}

/** One token bucket per sensor for each limit. Call it for configured sensors only: a bucket is never removed. */
export function createRateLimits(options: RateLimitsOptions): RateLimits {
  const { perSensorRps, perSensorEventsRps, now = () => performance.now() } = options;
  const requests = perSensorRps === undefined ? undefined : bucketPerSensor(perSensorRps, now);
  const events = perSensorEventsRps === undefined ? undefined : bucketPerSensor(perSensorEventsRps, now);
  return {
    takeRequest(sensorId) {
      const requestsWait = requests?.(sensorId).secondsUntil(1) ?? 0;
      const eventsWait = events?.(sensorId).secondsUntil(0) ?? 0;
      const wait = Math.max(requestsWait, eventsWait);
      if (wait === 0) {
        requests?.(sensorId).charge(1);
        return undefined;
      }
      const isOverEvents = eventsWait >= requestsWait;
      const [limit, unit] = isOverEvents ? [perSensorEventsRps, "event"] : [perSensorRps, "request"];
      const detail = `over ${limit} ${limit === 1 ? unit : `${unit}s`}/s`;
      return { waitSeconds: Math.ceil(wait), detail };
    },
    chargeEvents: (sensorId, eventCount) => events?.(sensorId).charge(eventCount),
  };
}

function bucketPerSensor(perSecond: number, now: () => number): (sensorId: string) => TokenBucket {
  const buckets = new Map<string, TokenBucket>();
  return (sensorId) => {
    let bucket = buckets.get(sensorId);
    if (!bucket) {
      bucket = new TokenBucket(perSecond, now);
      buckets.set(sensorId, bucket);
    }
    return bucket;
  };
}
