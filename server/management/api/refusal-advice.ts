import type { RefusalCode } from "../../ingest/refusal.ts";

export interface Advice {
  readonly cause: string;
  readonly cure: string;
}

/** What each refusal means, and how the operator of the sensor can fix it. */
export const refusalAdvice: Readonly<Record<RefusalCode, Advice>> = {
  invalid_request: {
    cause:
      "The body is not an array of objects, one object or newline-delimited objects in UTF-8, or it is nested too deeply, or its compressed data is damaged.",
    cure: "Send an array of objects, [{…},{…}], as Spip does, or, with the Content-Type application/x-ndjson, one object a line. If the sensor already does that, look for a proxy that cuts or changes bodies.",
  },
  unauthorized: {
    cause:
      "The request has no token, its token is not configured, or its token belongs to another sensor than the one in X-Spip-ID.",
    cure: "Copy the sensor id and its token from Loom's token file or LOOM_SENSOR_ variable to the [loom] section of the sensor. After a change of the token file, send SIGHUP to Loom.",
  },
  not_found: {
    cause: "Loom does not accept events at this path.",
    cure: "Make the sensor's url end with /api/v1/ingest. Ignore requests from addresses that are not sensors: they are internet background noise.",
  },
  method_not_allowed: {
    cause: "The request is not a POST. It is from a browser, a scanner or a health check.",
    cure: "Point health checks at /live or /ready/ingest on the management port. Ignore all other requests.",
  },
  payload_too_large: {
    cause: "The body is larger than limits.max_body_size_bytes.",
    cure: "Lower batch_size at the sensor, or raise limits.max_body_size_bytes.",
  },
  batch_too_large: {
    cause: "The batch has more events than limits.max_events_per_batch.",
    cure: "Lower batch_size at the sensor, or raise limits.max_events_per_batch.",
  },
  event_too_large: {
    cause:
      "One event of the batch is larger than limits.max_event_size_bytes. No event of the batch was kept.",
    cure: "Raise limits.max_event_size_bytes above the size of the largest payload that the sensor captures.",
  },
  invalid_content_type: {
    cause:
      "The Content-Type is neither application/json nor application/x-ndjson, or the Content-Encoding is not one of gzip, deflate and zstd.",
    cure: "Send application/json, as Spip does, with a Content-Encoding that Loom knows or with none. If the sensor already does that, look for a proxy that changes headers.",
  },
  rate_limit_exceeded: {
    cause: "The sensor exceeded limits.per_sensor_rps or limits.per_sensor_events_rps.",
    cure: "Raise batch_size at the sensor, so that it sends fewer requests, or raise the limit. Check that no two sensors share a token.",
  },
  client_closed_request: {
    cause: "The connection was closed, or stopped sending, before the body was complete.",
    cure: "Check the network between the sensor and Loom, and the time limits of proxies in between. Spip waits for 15 s.",
  },
  internal_error: {
    cause: "A defect in Loom. The batch was not kept.",
    cure: 'Report the defect with the log line "request refused" whose detail begins with BUG.',
  },
  unavailable: {
    cause:
      "Loom could not keep the batch: the outbox was full, its disk failed, its directory was removed, stdout was not read, too many bodies were being received, or Loom was stopping.",
    cure: "See the log for the reason. If the outbox is full, fix the output that fails on the Outputs page, or raise output.outbox.max_bytes.",
  },
};
