import type { Server } from "bun";
import type { ListenAddress } from "../config/config.ts";
import { giveConnectionsTo } from "./listening-sockets.ts";
import type { TlsCertificate } from "./tls-certificate.ts";

export interface ListenerOptions {
  /** For error messages. */
  readonly name: "ingest" | "management";
  readonly address: ListenAddress;
  /** undefined: plain HTTP. */
  readonly certificate?: TlsCertificate | undefined;
  readonly handle: (request: Request) => Response | Promise<Response>;
}

/** A listener can't be had; the message says which, on what address and why. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  constructor(
    readonly listenerName: ListenerOptions["name"],
    address: ListenAddress,
    cause: unknown,
  ) {
    super(`${listenerName}: cannot listen on ${address.text}: ${explain(cause)}`, { cause });
  }
}

export interface Listener {
  readonly port: number;
  /** The address for logs: as configured, with the real port where port 0 asked for any free one. */
  readonly addressText: string;
  /** The address a request came from, for logs. */
  clientOf(request: Request): string | undefined;
  /** Bounds how long the client may take from now on; `undefined` goes back to the idle bound. */
  limitTime(request: Request, seconds: number | undefined): void;
  /** New connections get this certificate; those that are open go on. */
  useCertificate(certificate: TlsCertificate): void;
  /** Stops accepting, waits for the answers in flight, then closes every connection. */
  stop(maxWaitMs: number): Promise<void>;
}

/**
 * Above the 90 s after which Go's client closes an idle connection by itself: were the server first, a batch sent at
 * that moment would be lost.
 */
const idleTimeoutSeconds = 120;

/**
 * Listens for HTTP, or HTTPS (TLS 1.2 or newer, Bun's default) where a certificate is given.
 * @throws ListenError
 */
export function listen(options: ListenerOptions): Listener {
  // Only a listener with a certificate is ever replaced, and only then may the port be shared.
  if (options.certificate) assertPortIsFree(options);
  let { certificate } = options;
  let server = serve(options);
  const port = server.port ?? options.address.port;
  const replaced: Server<undefined>[] = [];
  let isStopping = false;

  return {
    port,
    addressText: options.address.text.replace(/:0+$/, `:${port}`),
    clientOf: (request) => server.requestIP(request)?.address,
    limitTime: (request, seconds) => server.timeout(request, seconds ?? idleTimeoutSeconds),
    useCertificate(next) {
      // Each replaced server stays until the end, so a reload for the sake of a token must not make one.
      const isSame = next.cert === certificate?.cert && next.key === certificate.key;
      if (isSame || isStopping) return;
      const old = server;
      server = serve({ ...options, certificate: next, address: { ...options.address, port } });
      certificate = next;
      replaced.push(old);
      // Without the kernel's help the old one has to stop, which closes its idle connections.
      if (!giveConnectionsTo(replaced.length, port)) void old.stop(false);
    },
    async stop(maxWaitMs) {
      isStopping = true;
      const servers = [server, ...replaced];
      await Promise.race([Promise.all(servers.map((one) => one.stop(false))), Bun.sleep(maxWaitMs)]);
      await Promise.race([Promise.all(servers.map((one) => one.stop(true))), Bun.sleep(closeWaitMs)]);
    },
  };
}

const closeWaitMs = 500;

function serve(options: ListenerOptions): Server<undefined> {
  const { host } = options.address;
  // "::" is every interface, IPv4 too; without IPv6 on the machine it can't be had.
  if (host !== undefined) return serveOn(host, options);
  try {
    return serveOn("::", options);
  } catch (error) {
    if (isInUse(error)) throw error;
    return serveOn("0.0.0.0", options);
  }
}

function serveOn(hostname: string, options: ListenerOptions): Server<undefined> {
  const { address, certificate, name } = options;
  try {
    return Bun.serve({
      hostname,
      port: address.port,
      fetch: (request) => options.handle(withLongHost(request)),
      idleTimeout: idleTimeoutSeconds,
      // Bodies are bounded where they are read, with our own answer.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      reusePort: certificate !== undefined,
      development: false,
      ...(certificate ? { tls: { cert: certificate.cert, key: certificate.key } } : {}),
    });
  } catch (error) {
    throw new ListenError(name, address, error);
  }
}

/** Elysia looks for the path after 11 characters of the URL, so that of http://vm1/ingest would not be found. */
function withLongHost(request: Request): Request {
  const pathAt = request.url.indexOf("/", "https://".length);
  return pathAt >= 11 ? request : new Request(`http://short-host${request.url.slice(pathAt)}`, request);
}

/** A shared port could be taken twice, by two Looms that share its connections unawares. */
function assertPortIsFree(options: ListenerOptions): void {
  if (options.address.port !== 0) serve({ ...options, certificate: undefined }).stop(true);
}

function isInUse(error: unknown): boolean {
  return (error as Error & { cause?: NodeJS.ErrnoException }).cause?.code === "EADDRINUSE";
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "EADDRINUSE":
      return "the port is in use by another program";
    case "EACCES":
      return "not permitted (ports below 1024 need CAP_NET_BIND_SERVICE)";
    case "EADDRNOTAVAIL":
      return "no interface of this machine has that address";
    default:
      return code ?? message;
  }
}
