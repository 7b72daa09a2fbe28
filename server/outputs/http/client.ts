import { authorizationOf, type Credentials } from "../../http/credentials.ts";
import { describeFailure, type HttpFailure } from "../../http/request-failure.ts";
import { parseRetryAfter } from "../../http/retry-after.ts";

export interface HttpClientOptions {
  readonly credentials: Credentials;
  /** Certificates in PEM that are trusted instead of the system's. */
  readonly certificateAuthorities?: string | undefined;
  /** False: each request has a connection of its own, which is closed after the answer. Default: true. */
  readonly keepsConnections?: boolean;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface HttpRequest {
  readonly method: "GET" | "PUT" | "POST";
  readonly url: string;
  /** In lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly contentEncoding?: "gzip" | undefined;
  /** No more of the answer's body is read. */
  readonly maxAnswerBytes: number;
}

export interface HttpAnswer {
  readonly kind: "answered";
  readonly status: number;
  readonly headers: Headers;
  /** From `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The body, or its beginning. */
  readonly body: Buffer;
  /** False: the body was cut off, or is longer than `maxAnswerBytes`. */
  readonly isWhole: boolean;
}

/** Sends one request. Never rejects; the signal is its deadline. */
export type HttpClient = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer | HttpFailure>;

/** Sends one request, and resolves when the answer begins. @throws what `fetch` throws: describeFailure describes it */
export type HttpSender = (
  request: Omit<HttpRequest, "maxAnswerBytes">,
  signal: AbortSignal,
) => Promise<Response>;

/**
 * Returns what outputs send their requests with. Credentials go to the address in the request and nowhere else: redirects
 * are not followed, they are answers like others.
 */
export function createHttpSender(options: HttpClientOptions): HttpSender {
  const authorization = authorizationOf(options.credentials);
  const { certificateAuthorities: ca, keepsConnections = true } = options;
  const fixedHeaders = {
    "user-agent": "loom",
    // A compressed answer could exceed its bound when it is decompressed.
    "accept-encoding": "identity",
    ...(authorization !== undefined && { authorization }),
  };

  return ({ method, url, headers, body, contentEncoding }, signal) =>
    fetch(url, {
      method,
      headers: {
        ...fixedHeaders,
        ...headers,
        ...(contentEncoding !== undefined && { "content-encoding": contentEncoding }),
      },
      ...(body !== undefined && { body }),
      ...(ca !== undefined && { tls: { ca } }),
      decompress: false,
      redirect: "manual",
      keepalive: keepsConnections,
      signal,
    });
}

/** Returns a client that reads answers as a whole, up to a bound. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const send = createHttpSender(options);
  const { now = Date.now } = options;
  return async (request, signal) => {
    try {
      const response = await send(request, signal);
      return {
        kind: "answered",
        status: response.status,
        headers: response.headers,
        retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), now()),
        ...(await readBody(response, request.maxAnswerBytes, signal)),
      };
    } catch (error) {
      return describeFailure(error, signal);
    }
  };
}

/** Rejects only when the signal ends the reading: an answer that was cut off still has a status. */
async function readBody(
  response: Response,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Pick<HttpAnswer, "body" | "isWhole">> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isWhole = true;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= maxBytes) continue;
      isWhole = false;
      // Leaving the loop cancels the rest of the body.
      break;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    isWhole = false;
  }
  return { body: Buffer.concat(chunks).subarray(0, maxBytes), isWhole };
}
