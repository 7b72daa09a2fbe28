import type { Credentials } from "../../http/credentials.ts";
import type { Log } from "../../telemetry/log.ts";
import { createHttpClient, type HttpAnswer } from "../http/client.ts";
import type { HttpFailure } from "../http/failure.ts";

export interface ClusterClientOptions {
  /** At least one; each may have a path. */
  readonly urls: readonly string[];
  readonly credentials: Credentials;
  /** Certificates in PEM that are trusted instead of the system's. */
  readonly certificateAuthorities: string | undefined;
  readonly log: Log;
  readonly now: () => number;
}

export interface ClusterRequest {
  readonly method: "GET" | "PUT" | "POST";
  /** Path and query, beginning with a slash. */
  readonly path: string;
  readonly contentType?: string;
  readonly contentEncoding?: "gzip" | undefined;
  readonly body?: Buffer | string;
  readonly maxAnswerBytes: number;
}

export interface ClusterAnswer {
  readonly kind: "answered";
  readonly status: number;
  /** From `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** undefined if the answer was cut off, is too long, or is not JSON. */
  readonly json: unknown;
}

export interface ClusterClient {
  /** Tries one address after the other, beginning with the one that answered last. Never rejects. */
  request(request: ClusterRequest, signal: AbortSignal): Promise<ClusterAnswer | HttpFailure>;
}

export function createClusterClient({
  credentials,
  certificateAuthorities,
  log,
  now,
  ...options
}: ClusterClientOptions): ClusterClient {
  const urls = options.urls.map((url) => url.replace(/\/+$/, ""));
  const send = createHttpClient({ credentials, certificateAuthorities, now });
  let current = 0;
  let lastGood = 0;

  async function request(request: ClusterRequest, signal: AbortSignal) {
    let answer: ClusterAnswer | HttpFailure = { kind: "failed", reason: "no address", isLasting: true };
    for (let attempt = 0; attempt < urls.length && !(attempt > 0 && signal.aborted); attempt++) {
      const url = urls[current] ?? "";
      answer = await requestFrom(url, request, signal);
      if (!isWorthAnotherAddress(answer)) {
        if (current !== lastGood) log.info("switched to another address", { url });
        lastGood = current;
        break;
      }
      current = (current + 1) % urls.length;
    }
    return answer;
  }

  async function requestFrom(
    url: string,
    { path, contentType, ...rest }: ClusterRequest,
    signal: AbortSignal,
  ): Promise<ClusterAnswer | HttpFailure> {
    const headers = {
      accept: "application/json",
      ...(contentType !== undefined && { "content-type": contentType }),
    };
    const answer = await send({ ...rest, url: url + path, headers }, signal);
    if (answer.kind === "failed") return { ...answer, reason: `${url}: ${answer.reason}` };
    const { kind, status, retryAfterMs } = answer;
    return { kind, status, retryAfterMs, json: parseJson(answer) };
  }

  return { request };
}

function isWorthAnotherAddress(answer: ClusterAnswer | HttpFailure): boolean {
  return answer.kind === "failed" || answer.status === 429 || answer.status >= 500;
}

function parseJson({ body, isWhole }: HttpAnswer): unknown {
  if (!isWhole) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch {
    // An answer that is not JSON is judged by its status alone.
    return undefined;
  }
}
