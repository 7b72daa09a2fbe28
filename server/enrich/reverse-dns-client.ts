/*
 * Asks a resolver over UDP. The Resolver of node:dns (Bun 1.4.5, c-ares) does not fit:
 * - Once a resolver has answered quickly, it learns a timeout of 0.6 s although 2 s are configured, so slow names are
 *   never found.
 * - It has a cache of its own, with the records' TTLs, below Loom's cache.
 * - It reports an unreachable network as "no such name".
 * - It notices a resolver that refuses packets only by a timeout.
 * - It does not accept a resolver by its host name.
 *
 * Each question has its own socket, which is connected to the resolver (35 µs). The kernel drops packets from other
 * addresses, a forger has to guess the random port and the random id together, and a refusal (ICMP) belongs to its
 * question. A question is one packet, without repetition and without TCP, because an occasional missing name does no harm.
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { getServers } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type DnsAnswer, encodeQuestion, type RecordType, readAnswer } from "./reverse-dns-message.ts";

export type DnsOutcome =
  | DnsAnswer
  | { readonly kind: "timedOut" }
  | { readonly kind: "unreachable" }
  | { readonly kind: "closed" };

export interface DnsClient {
  /** Asks for the records of a name from ptrName or from an answer. Resolves within the timeout; never rejects. */
  ask(name: string, type: RecordType): Promise<DnsOutcome>;
  /** Ends every open question with the outcome `closed` and closes its socket. */
  close(): void;
}

interface Server {
  readonly host: string;
  readonly port: number;
}

/**
 * @param resolverAddr "host:port"; undefined: the system's resolvers as configured now. If one of several resolvers does
 *   not answer a question, the next one is used.
 * @throws Error if `resolverAddr` is not "host:port"
 */
export function createDnsClient(resolverAddr: string | undefined, timeoutMs: number): DnsClient {
  const servers = resolverAddr === undefined ? systemServers() : [parseServer(resolverAddr)];
  const closers = new Set<() => void>();
  let isClosed = false;
  let current = 0;

  async function ask(name: string, type: RecordType): Promise<DnsOutcome> {
    const server = servers[current];
    if (isClosed || server === undefined) return { kind: "closed" };
    const outcome = await askServer(server, encodeQuestion(randomInt(0x10000), name, type));
    const isSilent = outcome.kind === "timedOut" || outcome.kind === "unreachable";
    // If many questions are unanswered at the same time, only the first one switches to the next resolver.
    if (isSilent && servers[current] === server) current = (current + 1) % servers.length;
    return outcome;
  }

  function askServer(server: Server, question: Buffer): Promise<DnsOutcome> {
    return new Promise((resolve) => {
      let closeSocket = () => {};
      let isDone = false;
      const finish = (outcome: DnsOutcome) => {
        if (isDone) return;
        isDone = true;
        clearTimeout(timer);
        closers.delete(closer);
        closeSocket();
        resolve(outcome);
      };
      const closer = () => finish({ kind: "closed" });
      closers.add(closer);
      const timer = setTimeout(() => finish({ kind: "timedOut" }), timeoutMs);

      const connect = (address: string, family: number) => {
        if (isDone) return;
        const socket = createSocket(family === 6 ? "udp6" : "udp4");
        closeSocket = () => socket.close();
        socket.on("error", () => finish({ kind: "unreachable" }));
        socket.on("message", (message) => {
          const answer = readAnswer(message, question);
          if (answer !== undefined) finish(answer);
        });
        socket.connect(server.port, address, () => {
          if (isDone) return;
          // Bun calls back even if the kernel refused to connect, for example with EACCES. Then send throws.
          try {
            socket.send(question);
          } catch {
            finish({ kind: "unreachable" });
          }
        });
      };

      const family = isIP(server.host);
      if (family !== 0) connect(server.host, family);
      else
        lookup(server.host).then(
          (found) => connect(found.address, found.family),
          () => finish({ kind: "unreachable" }),
        );
    });
  }

  return {
    ask,
    close() {
      isClosed = true;
      for (const closer of [...closers]) closer();
    },
  };
}

function systemServers(): Server[] {
  // getServers() omits port 53.
  const servers = getServers().map((text) =>
    isIP(text) === 0 ? parseServer(text) : { host: text, port: 53 },
  );
  // The C library does the same without an /etc/resolv.conf.
  return servers.length > 0 ? servers : [{ host: "127.0.0.1", port: 53 }];
}

function parseServer(text: string): Server {
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(portText);
  if (host === undefined || !(port >= 1 && port <= 65535)) {
    throw new Error(
      `config: enrichment.dns.resolver_addr: ${JSON.stringify(text)} is not host:port, such as "127.0.0.1:53" or "[::1]:53"`,
    );
  }
  return { host, port };
}
