import { readFileSync } from "node:fs";
import type { Log } from "../../telemetry/log.ts";

export interface ClusterClientOptions {
  /** At least one; each may have a path. */
  readonly urls: readonly string[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Wins over user and password: the encoded key, or `id:key`. */
  readonly apiKey: string | undefined;
  /** Certificates in PEM to trust instead of the system's. */
  readonly caFile: string | undefined;
  readonly log: Log;
  readonly now: () => number;
}

export interface ClusterRequest {
  readonly method: "GET" | "PUT" | "POST";
  /** From the slash on, with its query. */
  readonly path: string;
  readonly contentType?: string;
  readonly contentEncoding?: "gzip";
  readonly body?: Buffer | string;
  readonly maxAnswerBytes: number;
}

export interface ClusterAnswer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** undefined where the answer is cut, larger than asked for, or not JSON. */
  readonly json: unknown;
}

/** No answer at all. */
export interface ClusterFailure {
  readonly failure: string;
  /** It stays so until somebody mends it: a certificate that is not trusted. */
  readonly isLasting: boolean;
}

export interface ClusterClient {
  /** Asks one address after the other, beginning with the one that answered last. Never rejects. */
  request(request: ClusterRequest, signal: AbortSignal): Promise<ClusterAnswer | ClusterFailure>;
}

/** @throws Error when `caFile` can't be read. */
export function createClusterClient(options: ClusterClientOptions): ClusterClient {
  const urls = options.urls.map((url) => url.replace(/\/+$/, ""));
  const authorization = authorizationOf(options);
  const ca = options.caFile === undefined ? undefined : readCertificates(options.caFile);
  let current = 0;
  let lastGood = 0;

  async function request(request: ClusterRequest, signal: AbortSignal) {
    let answer: ClusterAnswer | ClusterFailure = { failure: "no address to ask", isLasting: true };
    for (let attempt = 0; attempt < urls.length && !(attempt > 0 && signal.aborted); attempt++) {
      const url = urls[current] ?? "";
      answer = await ask(url, request, signal);
      if (!isWorthAnotherAddress(answer)) {
        if (current !== lastGood) options.log.info("elasticsearch: another address answers", { url });
        lastGood = current;
        break;
      }
      current = (current + 1) % urls.length;
    }
    return answer;
  }

  async function ask(
    url: string,
    { method, path, contentType, contentEncoding, body, maxAnswerBytes }: ClusterRequest,
    signal: AbortSignal,
  ): Promise<ClusterAnswer | ClusterFailure> {
    try {
      const response = await fetch(url + path, {
        method,
        headers: {
          // A small answer need not be packed, and one that is could grow past its bound when unpacked.
          "accept-encoding": "identity",
          accept: "application/json",
          ...(authorization !== undefined && { authorization }),
          ...(contentType !== undefined && { "content-type": contentType }),
          ...(contentEncoding !== undefined && { "content-encoding": contentEncoding }),
        },
        ...(body !== undefined && { body }),
        ...(ca !== undefined && { tls: { ca } }),
        decompress: false,
        // Credentials go to the configured addresses and nowhere else.
        redirect: "manual",
        signal,
      });
      return {
        status: response.status,
        retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), options.now()),
        json: await readJson(response, maxAnswerBytes),
      };
    } catch (error) {
      return describeFailure(url, error, signal);
    }
  }

  return { request };
}

function authorizationOf({ user, password, apiKey }: ClusterClientOptions): string | undefined {
  if (apiKey !== undefined)
    return `ApiKey ${apiKey.includes(":") ? Buffer.from(apiKey).toString("base64") : apiKey}`;
  if (user === undefined) return undefined;
  return `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}`;
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Error(`output: elasticsearch_ca_file: cannot read ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function isWorthAnotherAddress(answer: ClusterAnswer | ClusterFailure): boolean {
  return "failure" in answer || answer.status === 429 || answer.status >= 500;
}

/** RFC 9110, 10.2.3: seconds or a date. */
function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const waitMs = /^\d{1,10}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return waitMs > 0 ? waitMs : undefined;
}

async function readJson(response: Response, maxBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    // Leaving the loop early cancels the body.
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > maxBytes) return undefined;
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    // Cut off, or not JSON: judged by its status, as an answer that says nothing.
    return undefined;
  }
}

function describeFailure(url: string, error: unknown, signal: AbortSignal): ClusterFailure {
  if (signal.aborted) return { failure: `${url}: no answer in the time it had`, isLasting: false };
  const { code } = error as { code?: unknown };
  const name = typeof code === "string" ? code : "connection failed";
  return { failure: `${url}: ${name}`, isLasting: /CERT|VERIFY|ISSUER/.test(name) };
}
