/*
 * Asks a resolver over UDP. node:dns's Resolver was tried first (Bun 1.4.5, c-ares) and does not fit: once a resolver has
 * answered quickly, its learnt timeout ends a question after 0.6 s although 2 s were asked for, so slow names never
 * arrive; it caches by the record's TTL beneath ours; a network that is unreachable looks like "no such name"; a
 * resolver that refuses packets is noticed by timeout only; and a resolver cannot be given by its host name.
 *
 * Each question has a socket of its own, connected to the resolver (35 µs): the kernel drops what comes from elsewhere,
 * the random port and the random id have to be guessed together, and a refusal (ICMP) belongs to its question. A question
 * is one packet: no repetition and no TCP, because a name that is missing now and then does no harm.
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { getServers } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { encodePtrQuestion, type PtrAnswer, readPtrAnswer } from "./reverse-dns-message.ts";

export type PtrOutcome =
  | PtrAnswer
  | { readonly kind: "timedOut" }
  | { readonly kind: "unreachable" }
  | { readonly kind: "closed" };

export interface PtrClient {
  /** Asks for the PTR records of a name made by ptrName. Ends within the timeout; never rejects. */
  ask(name: string): Promise<PtrOutcome>;
  /** Ends every open question as `closed` and releases its socket. */
  close(): void;
}

interface Server {
  readonly host: string;
  readonly port: number;
}

/**
 * `resolverAddr`: "host:port", or undefined for the system's resolvers as they are now; of several, the next one is
 * used after one left a question unanswered. Throws when `resolverAddr` is not of that form.
 */
export function createPtrClient(resolverAddr: string | undefined, timeoutMs: number): PtrClient {
  const servers = resolverAddr === undefined ? systemServers() : [parseServer(resolverAddr)];
  const closers = new Set<() => void>();
  let isClosed = false;
  let current = 0;

  async function ask(name: string): Promise<PtrOutcome> {
    const server = servers[current];
    if (isClosed || server === undefined) return { kind: "closed" };
    const outcome = await askServer(server, name);
    const isSilent = outcome.kind === "timedOut" || outcome.kind === "unreachable";
    // Of many questions that go unanswered together only the first moves on.
    if (isSilent && servers[current] === server) current = (current + 1) % servers.length;
    return outcome;
  }

  function askServer(server: Server, name: string): Promise<PtrOutcome> {
    const question = encodePtrQuestion(randomInt(0x10000), name);
    return new Promise((resolve) => {
      let closeSocket = () => {};
      let isDone = false;
      const finish = (outcome: PtrOutcome) => {
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
          const answer = readPtrAnswer(message, question);
          if (answer !== undefined) finish(answer);
        });
        socket.connect(server.port, address, () => {
          if (isDone) return;
          // Bun calls back although the kernel refused to connect (EACCES, say); then send throws.
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
  // getServers() leaves the port out when it is 53.
  const servers = getServers().map((text) =>
    isIP(text) === 0 ? parseServer(text) : { host: text, port: 53 },
  );
  // What the C library does without an /etc/resolv.conf.
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
