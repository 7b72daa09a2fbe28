/** Every refusal of the ingest API (contract 2) and its HTTP status. */
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
  /** Never sent: the sensor went away before its body was whole. nginx's number for the same. */
  client_closed_request: 499,
  internal_error: 500,
  unavailable: 503,
} as const;

export type RefusalCode = keyof typeof statusOfRefusal;

export interface Refusal {
  readonly code: RefusalCode;
  readonly retryAfterSeconds?: number;
  /** For the log only, never for the answer. */
  readonly detail?: string;
}

/** The answer to a refused request: `{"error":"<code>"}`, and nothing of what was sent. */
export function refusalResponse(refusal: Refusal): Response {
  const headers = new Headers({ "content-type": "application/json" });
  if (refusal.code === "method_not_allowed") headers.set("allow", "POST");
  // RFC 9110 11.6.1: a 401 names the scheme that would do.
  if (refusal.code === "unauthorized") headers.set("www-authenticate", "Bearer");
  if (refusal.retryAfterSeconds !== undefined) headers.set("retry-after", String(refusal.retryAfterSeconds));
  return new Response(JSON.stringify({ error: refusal.code }), {
    status: statusOfRefusal[refusal.code],
    headers,
  });
}
