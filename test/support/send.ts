import { sensorToken } from "./executable.ts";

export interface SendOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one batch as a sensor does, and waits longer than one would. Any certificate will do. */
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

/** The head of a good ingest request with these headers added, to be sent by hand; the body is to follow. */
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

/** A whole good request, to be sent by hand. */
export function wholeRequest(body: string, token = sensorToken): string {
  return requestHead({ "content-length": Buffer.byteLength(body) }, token) + body;
}
