import { createHash } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  /** The path with its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** How a path is answered. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** "cut": the connection is closed after the body, "stall": nothing more is sent. Both with a longer Content-Length. */
  readonly end?: "cut" | "stall";
}

/** A server of files that answers as the test says, truthfully or not. */
export interface DownloadServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** The answers by path; any other path is answered 404. They may be replaced. */
  readonly answers: Map<string, Answer | ((request: SeenRequest) => Answer)>;
}

export async function startDownloadServer(): Promise<DownloadServer> {
  const requests: SeenRequest[] = [];
  const answers: DownloadServer["answers"] = new Map();
  const server = createServer(({ url: path = "", headers }, response) => {
    requests.push({ path, headers });
    const answer = answers.get(path) ?? { status: 404 };
    send(response, typeof answer === "function" ? answer({ path, headers }) : answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answers,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function send(response: ServerResponse, { status = 200, headers = {}, body = "", end }: Answer): void {
  const bytes = Buffer.from(body);
  const length = bytes.length + (end === undefined ? 0 : 1000);
  const hasLength = status !== 304 && headers["content-length"] === undefined;
  response.writeHead(status, { ...headers, ...(hasLength && { "content-length": String(length) }) });
  if (end === undefined) return void response.end(bytes);
  response.write(bytes, () => {
    if (end === "cut") response.socket?.destroy();
  });
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
