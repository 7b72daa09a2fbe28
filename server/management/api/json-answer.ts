/** The error codes of the API and their HTTP statuses. */
export const statusOfError = {
  invalid_request: 400,
  invalid_query: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  too_many_attempts: 429,
  internal_error: 500,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof statusOfError;

/** An answer with a value as JSON, or with a text that is JSON already. */
export function jsonAnswer(value: object | string, status = 200): Response {
  return new Response(typeof value === "string" ? value : JSON.stringify(value), { status, headers });
}

/** The answer `{"error":"<code>"}`. It repeats nothing of the request. */
export function errorAnswer(code: ErrorCode, retryAfterSeconds?: number): Response {
  const answer = jsonAnswer({ error: code }, statusOfError[code]);
  if (retryAfterSeconds !== undefined) answer.headers.set("retry-after", String(retryAfterSeconds));
  return answer;
}

const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };
