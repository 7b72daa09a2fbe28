import { sensorToken } from "./executable.ts";

export interface SendOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one batch like a sensor, but waits longer for the answer, and accepts any certificate. */
export async function send(url: string, body: string, options: SendOptions = {}): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${options.token ?? sensorToken}`,
      "content-type": "application/json",
      ...options.headers,
    },
    body,
    tls: { rejectUnauthorized: false },
    signal: AbortSignal.timeout(30_000),
  });
  await response.text();
  return response.status;
}

/** The head of a valid ingest request with these additional headers, for a raw connection. The body has to follow. */
export function requestHead(headers: Readonly<Record<string, string | number>>, token = sensorToken): string {
  const all = {
    host: "loom.example",
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /api/v1/ingest HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** A complete valid request, for a raw connection. */
export function wholeRequest(body: string, token = sensorToken): string {
  return requestHead({ "content-length": Buffer.byteLength(body) }, token) + body;
}
