import type { RefusalCode } from "../../ingest/refusal.ts";

export interface Advice {
  readonly cause: string;
  readonly cure: string;
}

/** What each refusal means, and what the operator of the sensor can do about it. */
export const refusalAdvice: Readonly<Record<RefusalCode, Advice>> = {
  invalid_request: {
    cause: "The body was not a JSON array of objects in UTF-8, or was nested too deep.",
    cure: "Send what Spip sends, [{…},{…}]; if it does, look for a proxy on the way that cuts or changes bodies.",
  },
  unauthorized: {
    cause:
      "It had no token, a token that is not configured, or a token that belongs to another sensor than X-Spip-ID names.",
    cure: "Give the sensor's [loom] block the sensor_id and the token that stand together in Loom's token file or LOOM_SENSOR_ variable, and send Loom a SIGHUP after a change of the file.",
  },
  not_found: {
    cause: "Loom takes no events at that path.",
    cure: "Let the sensor's url end with /api/v1/ingest; from addresses that are no sensors it is the internet's usual noise.",
  },
  method_not_allowed: {
    cause: "It was no POST: a browser, a scanner or a health check.",
    cure: "Point health checks at /live or /ready/ingest of the management port; anything else needs nothing.",
  },
  payload_too_large: {
    cause: "The body was larger than limits.max_body_size_bytes.",
    cure: "Lower batch_size at the sensor, or raise limits.max_body_size_bytes.",
  },
  batch_too_large: {
    cause: "The batch had more events than limits.max_events_per_batch.",
    cure: "Lower batch_size at the sensor, or raise limits.max_events_per_batch.",
  },
  event_too_large: {
    cause: "One event of the batch was larger than limits.max_event_size_bytes, so that none of it was kept.",
    cure: "Raise limits.max_event_size_bytes above what the sensor captures of one payload.",
  },
  invalid_content_type: {
    cause: "Its Content-Type was not application/json, or the body was compressed.",
    cure: "Send application/json uncompressed, as Spip does; if it does, look for a proxy on the way that changes headers.",
  },
  rate_limit_exceeded: {
    cause: "The sensor went over limits.per_sensor_rps or limits.per_sensor_events_rps.",
    cure: "Raise batch_size at the sensor, which makes fewer requests, or the limit; and see that no two sensors share a token.",
  },
  client_closed_request: {
    cause: "The connection ended, or its data stopped coming, before the body was whole.",
    cure: "Look at the network between the sensor and Loom, and at proxies on the way that give up early; Spip itself waits 15 s.",
  },
  internal_error: {
    cause: "A defect in Loom: the batch was not kept.",
    cure: 'Please report it with the line "request refused" of the log, whose detail begins with BUG.',
  },
  unavailable: {
    cause:
      "Loom could not keep the batch: the outbox or its disk was full, stdout's reader stalled, too many bodies came at once, or Loom was stopping.",
    cure: "See the outputs: bring back the one that is away, or give the outbox more room with output.outbox.max_bytes.",
  },
};
