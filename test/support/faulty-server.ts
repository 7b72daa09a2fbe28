import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "./until.ts";

/** What becomes of one request. "Commit": the server does what it was asked, as far as anyone will ever see. */
export type Fault =
  | "none"
  | "unavailable"
  | "cut"
  | "cut after commit"
  | "silence"
  | "silence after commit"
  /** Commits and answers after a while, also when nobody waits for it any more. */
  | "late";

export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  /** Unpacked. */
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** An HTTP server that is not to be relied upon. */
export interface FaultyServer extends AsyncDisposable {
  readonly url: string;
  /** Asked for each request; no faults at first. */
  fault: () => Fault;
  /** Closes the port and every connection. */
  goAway(): Promise<void>;
  /** On the same port; nothing where it is open. */
  comeBack(): Promise<void>;
  /** No more faults: comes back, and connections that wait in silence are cut. */
  heal(): Promise<void>;
}

const lateMs = 40;

/** `commit` carries a request out; it is called once its body has come whole. */
export async function startFaultyServer(commit: (request: SeenRequest) => Reply): Promise<FaultyServer> {
  const server = createServer((request, response) => {
    // A client that was killed leaves half a request: nothing to do.
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

  // Somebody else may have the port for a moment: every connection of this machine has one.
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
