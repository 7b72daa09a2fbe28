/** What came back for one request: an answer, or why there is none. */
export type Answer =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** `X-ClickHouse-Exception-Code`; servers before 20.1 do not send it. */
      readonly exceptionCode: string | null;
      /** `Retry-After` */
      readonly retryAfter: string | null;
      /** Its beginning, at most `maxBodyBytes`. */
      readonly body: string;
    }
  /** No whole answer came: refused, reset, cut off, too late. Whether the request was carried out is unknown. */
  | { readonly kind: "failed"; readonly error: unknown };

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface AnswerOptions {
  readonly url: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly fetch: Fetch;
}

/** Exceptions are a few hundred bytes, and an INSERT's answer is empty. */
const maxBodyBytes = 64 * 1024;

/**
 * Returns a function that POSTs to ClickHouse's HTTP interface (https://clickhouse.com/docs/en/interfaces/http):
 * parameters in the URL, rows in the body, credentials in a header. It never rejects and reads no more than it needs.
 */
export function createAsk({ url, user, password, fetch }: AnswerOptions) {
  const headers: Record<string, string> = { "user-agent": "loom", "accept-encoding": "identity" };
  if (user !== undefined || password !== undefined) {
    const credentials = Buffer.from(`${user ?? "default"}:${password ?? ""}`).toString("base64");
    headers.authorization = `Basic ${credentials}`;
  }

  return async function ask(
    parameters: Readonly<Record<string, string>>,
    signal: AbortSignal,
    rows?: { readonly body: Buffer; readonly encoding: "gzip" | undefined },
  ): Promise<Answer> {
    const target = new URL(url);
    target.search = new URLSearchParams(parameters).toString();
    try {
      const response = await fetch(target.href, {
        method: "POST",
        headers: { ...headers, ...(rows?.encoding && { "content-encoding": rows.encoding }) },
        body: rows?.body ?? "",
        // Followed, an INSERT would become a GET, and the credentials would go to whoever is named there.
        redirect: "manual",
        // The server closes idle connections after 10 s by default: a batch sent at that moment would be cut off.
        keepalive: false,
        signal,
      });
      return {
        kind: "answered",
        status: response.status,
        exceptionCode: response.headers.get("x-clickhouse-exception-code"),
        retryAfter: response.headers.get("retry-after"),
        body: await readStart(response),
      };
    } catch (error) {
      return { kind: "failed", error };
    }
  };
}

async function readStart(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest.
  for await (const chunk of response.body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= maxBodyBytes) break;
  }
  return Buffer.concat(chunks).toString("utf8", 0, maxBodyBytes);
}
