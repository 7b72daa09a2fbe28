import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "./until.ts";

/** How the server treats one request. "Commit" means that it executes the request. */
export type Fault =
  | "none"
  | "unavailable"
  | "cut"
  | "cut after commit"
  | "silence"
  | "silence after commit"
  /** Commits and answers late, even if the client has closed the connection. */
  | "late";

export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  /** The decompressed body. */
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** An HTTP server that fails as the test says. */
export interface FaultyServer extends AsyncDisposable {
  readonly url: string;
  /** Called for each request; by default there are no faults. */
  fault: () => Fault;
  /** Closes the port and every connection. */
  goAway(): Promise<void>;
  /** Opens the same port again. Does nothing if it is open. */
  comeBack(): Promise<void>;
  /** Ends all faults: opens the port again and closes the connections that got no answer. */
  heal(): Promise<void>;
}

const lateMs = 40;

/** `commit` executes a request. It is called when the whole body has been received. */
export async function startFaultyServer(commit: (request: SeenRequest) => Reply): Promise<FaultyServer> {
  const server = createServer((request, response) => {
    // A client that was killed leaves half a request, which needs no answer.
    serve(request, response).catch(() => {});
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = await readRequest(request);
    const fault = faulty.fault();
    if (fault === "late") await Bun.sleep(lateMs);
    if (fault === "silence") return;
    if (fault === "cut") return void request.socket.destroy();
    const reply = fault === "unavailable" ? { status: 503, body: "" } : commit(seen);
    if (fault === "silence after commit") return;
    if (fault === "cut after commit") return void request.socket.destroy();
    response.writeHead(reply.status, { "content-type": "application/json" }).end(reply.body);
  }

  // Another connection of this machine may use the port for a moment.
  const listenOn = (port: number) => until(`port ${port} is free`, () => tryListen(server, port));

  await listenOn(0);
  const { port } = server.address() as AddressInfo;
  const faulty: FaultyServer = {
    url: `http://127.0.0.1:${port}`,
    fault: () => "none",
    async goAway() {
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    async comeBack() {
      if (!server.listening) await listenOn(port);
    },
    async heal() {
      faulty.fault = () => "none";
      await faulty.goAway();
      await faulty.comeBack();
    },
    [Symbol.asyncDispose]: () => faulty.goAway(),
  };
  return faulty;
}

async function readRequest(request: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const isPacked = request.headers["content-encoding"] === "gzip";
  return {
    method: request.method ?? "",
    url: new URL(request.url ?? "", "http://output.example"),
    body: (isPacked ? Buffer.from(Bun.gunzipSync(bytes)) : bytes).toString(),
  };
}

function tryListen(server: ReturnType<typeof createServer>, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const fail = () => resolve(false);
    server.once("error", fail);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", fail);
      resolve(true);
    });
  });
}
