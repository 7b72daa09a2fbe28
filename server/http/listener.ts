import type { Server } from "bun";
import type { ListenAddress } from "../config/config.ts";
import type { Network } from "../network.ts";
import type { Connection, HandleRequest } from "./connection.ts";
import { SharedPort } from "./shared-port.ts";
import type { TlsCertificate } from "./tls-certificate.ts";
import { TrustedProxies } from "./trusted-proxies.ts";

export interface ListenerOptions {
  /** For error messages. */
  readonly name: "ingest" | "management";
  readonly address: ListenAddress;
  /** undefined: plain HTTP. */
  readonly certificate?: TlsCertificate | undefined;
  /** The proxies whose X-Forwarded-For is believed; default: none. */
  readonly trustedProxies?: readonly Network[];
  /** The time after which a connection without a request is certainly closed; for tests. */
  readonly replacedIdleMs?: number;
}

/** A listener cannot be opened. The message names the listener, its address and the reason. */
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

/**
 * Longer than the 90 s after which Go's HTTP client closes an idle connection. If the server closed it first, a batch
 * that a sensor sends at that moment would be lost.
 */
const idleTimeoutSeconds = 120;
const closeWaitMs = 500;
/** Bun checks its timeouts every four seconds; the rest is a margin. */
const replacedIdleMs = (idleTimeoutSeconds + 10) * 1_000;

/** Listens for HTTP, or for HTTPS (TLS 1.2 or newer, Bun's default) if it has a certificate. */
export class Listener {
  readonly #options: ListenerOptions;
  #certificate: TlsCertificate | undefined;
  #handle: HandleRequest = () => new Response(null, { status: 503 });
  readonly #port: SharedPort;
  readonly #proxies: TrustedProxies | undefined;
  #isStopping = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#port = new SharedPort(options.replacedIdleMs ?? replacedIdleMs);
    this.#certificate = options.certificate;
    const { trustedProxies = [] } = options;
    this.#proxies = trustedProxies.length > 0 ? new TrustedProxies(trustedProxies) : undefined;
  }

  /** The port it listens on; before `listen`, the configured one. */
  get port(): number {
    return this.#port.current?.port ?? this.#options.address.port;
  }

  /** The address for logs: as configured, with the actual port if the configured port is 0. */
  get addressText(): string {
    return this.#options.address.text.replace(/:0+$/, `:${this.port}`);
  }

  get isListening(): boolean {
    return this.#port.current !== undefined;
  }

  /** The certificate that new connections get; undefined: plain HTTP. */
  get certificate(): TlsCertificate | undefined {
    return this.#certificate;
  }

  /** Starts to accept connections. @throws ListenError */
  listen(handle: HandleRequest): void {
    this.#handle = handle;
    // Only a listener with a certificate is ever replaced, so only then the port may be shared.
    if (this.#certificate) this.#assertPortIsFree();
    this.#port.use(this.#serve(this.#certificate));
  }

  /** Gives new connections this certificate; open connections keep theirs. Plain HTTP stays plain HTTP. */
  useCertificate(next: TlsCertificate): void {
    const old = this.#port.current;
    const current = this.#certificate;
    if (!old || !current || this.#isStopping) return;
    // A replaced server runs as long as it has connections, so a reload that changes nothing must not create one.
    if (next.cert === current.cert && next.key === current.key) return;
    this.#port.use(this.#serve(next, old.port));
    this.#certificate = next;
  }

  /** Stops accepting, waits for the answers in flight, then closes every connection. */
  async stop(maxWaitMs: number): Promise<void> {
    this.#isStopping = true;
    await Promise.race([this.#port.stop(false), Bun.sleep(maxWaitMs)]);
    await Promise.race([this.#port.stop(true), Bun.sleep(closeWaitMs)]);
  }

  #serve(certificate: TlsCertificate | undefined, port = this.#options.address.port): Server<undefined> {
    const { host } = this.#options.address;
    // "::" is every interface for IPv6 and IPv4. On a machine without IPv6 it cannot be opened.
    if (host !== undefined) return this.#serveOn(host, port, certificate);
    try {
      return this.#serveOn("::", port, certificate);
    } catch (error) {
      if (isInUse(error)) throw error;
      return this.#serveOn("0.0.0.0", port, certificate);
    }
  }

  #serveOn(hostname: string, port: number, certificate: TlsCertificate | undefined): Server<undefined> {
    const { name, address } = this.#options;
    try {
      return Bun.serve({
        hostname,
        port,
        fetch: (request, server) => {
          this.#port.noteRequest(server);
          return this.#handle(withLongHost(request), new ServerConnection(server, request, this.#proxies));
        },
        idleTimeout: idleTimeoutSeconds,
        // Bodies are bounded where they are read, with Loom's own answer.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        reusePort: certificate !== undefined,
        development: false,
        ...(certificate ? { tls: tlsOf(certificate) } : {}),
      });
    } catch (error) {
      throw new ListenError(name, address, error);
    }
  }

  /** A shared port could be opened twice, so that two Looms would share its connections unnoticed. */
  #assertPortIsFree(): void {
    if (this.#options.address.port !== 0) this.#serve(undefined).stop(true);
  }
}

function tlsOf({ cert, key, ciphers }: TlsCertificate) {
  return { cert, key, ciphers };
}

/** The connection of one request. Bun is only asked about it when a handler is. */
class ServerConnection implements Connection {
  readonly #server: Server<undefined>;
  readonly #request: Request;
  readonly #proxies: TrustedProxies | undefined;

  constructor(server: Server<undefined>, request: Request, proxies: TrustedProxies | undefined) {
    this.#server = server;
    this.#request = request;
    this.#proxies = proxies;
  }

  get clientAddress(): string | undefined {
    const peer = this.#server.requestIP(this.#request)?.address;
    return this.#proxies ? this.#proxies.clientOf(peer, this.#request.headers.get("x-forwarded-for")) : peer;
  }

  limitTime(seconds: number | undefined): void {
    this.#server.timeout(this.#request, seconds ?? idleTimeoutSeconds);
  }
}

/**
 * Elysia looks for the path after the first 11 characters of the URL. In http://vm1/ingest it begins earlier. If the
 * Host header is missing, empty or invalid, the URL is only the path. Such a request gets a URL with a longer host. It
 * stays the same object, because Bun finds the connection and the body by it.
 */
function withLongHost(request: Request): Request {
  const { url } = request;
  const pathAt = url.startsWith("/") ? 0 : url.indexOf("/", "https://".length);
  if (pathAt < 11) Object.defineProperty(request, "url", { value: `http://short-host${url.slice(pathAt)}` });
  return request;
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
