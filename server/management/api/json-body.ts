import { readBody } from "../../http/request-body.ts";

export interface JsonBodyBounds {
  readonly maxBytes: number;
  /** The time that the client may take to send it. */
  readonly maxMs: number;
}

/** The value of a JSON body; undefined if it is not JSON, has another content type, or exceeds a bound. */
export async function readJsonBody(request: Request, { maxBytes, maxMs }: JsonBodyBounds): Promise<unknown> {
  if (!/^application\/json *(;|$)/i.test(request.headers.get("content-type") ?? "")) return undefined;
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), maxMs);
  try {
    const body = await Promise.race([readBody(request, maxBytes), late.promise]);
    return body === "late" || body.kind === "refused" ? undefined : JSON.parse(body.value.toString("utf8"));
  } catch {
    // The body is not JSON. The caller answers that the request is invalid.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
