import type { Server } from "bun";
import { giveConnectionsTo } from "./listening-sockets.ts";

/** A server with an earlier certificate. */
interface Replaced {
  /** True if it may have had a request since the last check, or had one in flight then. */
  wasBusy: boolean;
  timer?: NodeJS.Timeout;
}

/**
 * The servers that listen on one port: the current one, and those with an earlier certificate, which only answer the
 * connections that they have. A replaced server is closed when it has no connection any more, so that a renewed
 * certificate does not cost a descriptor until the end of the process.
 */
export class SharedPort {
  /** A connection without a request is closed by then. */
  readonly #idleMs: number;
  #current: Server<undefined> | undefined;
  /** In the order of the kernel's list of the sockets that share the port. */
  readonly #listening: Server<undefined>[] = [];
  readonly #replaced = new Map<Server<undefined>, Replaced>();

  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /** The server that new connections get. */
  get current(): Server<undefined> | undefined {
    return this.#current;
  }

  /** Has to be called for each request: a server that gets requests has a connection. */
  noteRequest(server: Server<undefined>): void {
    if (server === this.#current) return;
    const replaced = this.#replaced.get(server);
    if (replaced) replaced.wasBusy = true;
  }

  /** Gives new connections to a server, which must have begun to listen just now. */
  use(server: Server<undefined>): void {
    const old = this.#current;
    this.#current = server;
    this.#listening.push(server);
    if (!old) return;
    const replaced: Replaced = { wasBusy: old.pendingRequests > 0 };
    this.#replaced.set(old, replaced);
    // Without the kernel's help the old server must stop accepting, which closes its idle connections.
    if (this.#giveConnectionsToCurrent()) this.#closeWhenUnused(old, replaced);
    else this.#close(old);
  }

  /** Stops accepting. Resolves when every answer in flight is sent, or with `isForced` when every connection is closed. */
  async stop(isForced: boolean): Promise<void> {
    for (const { timer } of this.#replaced.values()) clearInterval(timer);
    const servers = this.#current ? [this.#current, ...this.#replaced.keys()] : [];
    await Promise.all(servers.map((server) => server.stop(isForced)));
  }

  /** Closes a server that had no request between two checks, because all its connections have reached the idle timeout. */
  #closeWhenUnused(server: Server<undefined>, replaced: Replaced): void {
    replaced.timer = setInterval(() => {
      const isBusy = server.pendingRequests > 0;
      if (!isBusy && !replaced.wasBusy) this.#close(server);
      replaced.wasBusy = isBusy;
    }, this.#idleMs);
    replaced.timer.unref();
  }

  #close(server: Server<undefined>): void {
    clearInterval(this.#replaced.get(server)?.timer);
    const index = this.#listening.indexOf(server);
    void server.stop(false).then(() => this.#replaced.delete(server));
    // The kernel fills the gap with its last socket (reuseport_detach_sock in net/core/sock_reuseport.c). Until the next
    // line, which nothing can come before, it chooses one of the remaining sockets.
    const last = this.#listening.pop();
    if (last && last !== server) this.#listening[index] = last;
    this.#giveConnectionsToCurrent();
  }

  /** @returns false if the system does not support it */
  #giveConnectionsToCurrent(): boolean {
    const current = this.#current;
    return current?.port !== undefined && giveConnectionsTo(this.#listening.indexOf(current), current.port);
  }
}
