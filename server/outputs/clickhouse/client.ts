import { createHttpClient } from "../http/client.ts";
import type { HttpFailure } from "../http/failure.ts";
import type { EncodedBody } from "../http/gzip.ts";

/** ClickHouse's answer to one statement. */
export interface ClickhouseAnswer {
  readonly kind: "answered";
  readonly status: number;
  /** `X-ClickHouse-Exception-Code`; servers before 20.1 do not send it. */
  readonly exceptionCode: string | null;
  /** From `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The beginning of the body, at most `maxBodyBytes`. */
  readonly body: string;
  /** False: the body was cut off, or is longer. */
  readonly isWhole: boolean;
}

export interface ClickhouseClientOptions {
  readonly url: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** Exceptions are a few hundred bytes, and the answer to an INSERT is empty. */
const maxBodyBytes = 64 * 1024;

/** The user of a connection that names none. */
const defaultUser = "default";

/** The credentials as requests carry them: a password alone is the one of the user `default`. */
export function credentialsOf({ user, password }: Pick<ClickhouseClientOptions, "user" | "password">) {
  return { user: user ?? (password === undefined ? undefined : defaultUser), password };
}

/**
 * Returns a function that sends a statement to ClickHouse's HTTP interface (https://clickhouse.com/docs/en/interfaces/http):
 * parameters in the URL, rows in the body, credentials in a header. It never rejects.
 */
export function createClickhouseClient(options: ClickhouseClientOptions) {
  const request = createHttpClient({
    credentials: credentialsOf(options),
    // The server closes idle connections after 10 s by default. A batch that is sent at that moment would be cut off.
    keepsConnections: false,
  });

  return async function execute(
    parameters: Readonly<Record<string, string>>,
    signal: AbortSignal,
    rows?: EncodedBody,
  ): Promise<ClickhouseAnswer | HttpFailure> {
    const target = new URL(options.url);
    target.search = new URLSearchParams(parameters).toString();
    const answer = await request(
      {
        method: "POST",
        url: target.href,
        body: rows?.body ?? "",
        contentEncoding: rows?.contentEncoding,
        maxAnswerBytes: maxBodyBytes,
      },
      signal,
    );
    if (answer.kind === "failed") return answer;
    const { kind, status, headers, retryAfterMs, body, isWhole } = answer;
    const exceptionCode = headers.get("x-clickhouse-exception-code");
    return { kind, status, exceptionCode, retryAfterMs, body: body.toString("utf8"), isWhole };
  };
}
