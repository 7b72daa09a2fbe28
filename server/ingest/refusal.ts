/** Every refusal of the ingest API and its HTTP status; docs/ingest-api.md lists them for operators. */
export const statusOfRefusal = {
  invalid_request: 400,
  unauthorized: 401,
  not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  batch_too_large: 413,
  event_too_large: 413,
  invalid_content_type: 415,
  rate_limit_exceeded: 429,
  /** Never sent: the client closed the connection before its body was complete. nginx uses the same number. */
  client_closed_request: 499,
  internal_error: 500,
  unavailable: 503,
} as const;

export type RefusalCode = keyof typeof statusOfRefusal;

export interface Refusal {
  readonly code: RefusalCode;
  readonly retryAfterSeconds?: number;
  /** The content codings that would have been accepted, if the request was refused because of its own. */
  readonly acceptEncoding?: string;
  /** For operators only, never for the answer. */
  readonly detail?: string;
  /** The number of events in the batch, if they were counted. */
  readonly events?: number;
}

/** The events of refused requests. */
export interface RefusedEvents {
  readonly count: number;
  /** True if the events were not counted, because the body was not read or is not valid. */
  readonly isEstimate: boolean;
}

/** A refused request, for the log and the dashboard. */
export interface RefusedRequest {
  readonly reason: RefusalCode;
  /** The sensor that the request's token belongs to, or `unknownSensorId`. */
  readonly sensorId: string;
  /**
   * The sensor whose token the request had, although it could not be counted for that sensor: it named another one, or its
   * path or method is wrong. undefined: `sensorId` has the sensor, or the token is not valid.
   */
  readonly tokenSensorId?: string | undefined;
  /** X-Spip-ID as it was received. */
  readonly claimedId: string | null;
  /** The address of the client. */
  readonly client: string | undefined;
  readonly detail: string | undefined;
  /** undefined: not known. */
  readonly events?: RefusedEvents | undefined;
}

/** The answer to a refused request: `{"error":"<code>"}`. It repeats nothing of the request. */
export function refusalResponse(refusal: Refusal): Response {
  const headers = new Headers({ "content-type": "application/json" });
  if (refusal.code === "method_not_allowed") headers.set("allow", "POST");
  // RFC 9110 11.6.1: a 401 answer names the authentication scheme.
  if (refusal.code === "unauthorized") headers.set("www-authenticate", "Bearer");
  // RFC 9110 12.5.3: a 415 answer names the codings only if the coding was the reason.
  if (refusal.acceptEncoding !== undefined) headers.set("accept-encoding", refusal.acceptEncoding);
  if (refusal.retryAfterSeconds !== undefined) headers.set("retry-after", String(refusal.retryAfterSeconds));
  return new Response(JSON.stringify({ error: refusal.code }), {
    status: statusOfRefusal[refusal.code],
    headers,
  });
}
