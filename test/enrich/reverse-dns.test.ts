import { afterEach, describe, expect, test } from "bun:test";
import { awayAfterUnanswered, probeIntervalMs } from "../../server/enrich/resolver-health.ts";
import { ReverseDns, type ReverseDnsOptions } from "../../server/enrich/reverse-dns.ts";
import { type DnsReply, type DnsServer, rcodes, startDnsServer } from "../support/dns-server.ts";

const address = "192.0.2.1";
const oneName: DnsReply = { names: ["host.example"] };
const opened: { close(): void | Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function serve(answer: DnsServer["answer"]): Promise<DnsServer> {
  const server = await startDnsServer(answer);
  opened.push(server);
  return server;
}

/** By default it waits long and has a high rate. */
function ask(server: Pick<DnsServer, "address">, options: Partial<ReverseDnsOptions> = {}): ReverseDns {
  const dns = new ReverseDns({
    resolverAddr: server.address,
    cacheTtlSeconds: 300,
    maxQps: 1000,
    maxWaitMs: 5000,
    ...options,
  });
  opened.push(dns);
  return dns;
}

function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `198.51.100.${index}`);
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 3000;
  while (!isTrue()) {
    if (performance.now() > deadlineMs) throw new Error(`not true within 3 s: ${isTrue}`);
    await Bun.sleep(2);
  }
}

describe("what a resolver answers", () => {
  test("the name of an IPv4 address is found", async () => {
    const server = await serve(() => oneName);
    const dns = ask(server);
    expect(dns.known(address)).toBeUndefined();
    await dns.resolve([address]);
    expect(dns.known(address)).toBe("host.example");
    expect(server.questions).toEqual(["1.2.0.192.in-addr.arpa"]);
  });

  test("the name of an IPv6 address is found", async () => {
    const server = await serve(() => oneName);
    const dns = ask(server);
    await dns.resolve(["2001:db8::1"]);
    expect(dns.known("2001:db8::1")).toBe("host.example");
    expect(server.questions).toEqual([`1.${"0.".repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`]);
  });

  test.each<["notFound" | "failed", string, DnsReply]>([
    ["notFound", "NXDOMAIN", { rcode: rcodes.nameError }],
    ["notFound", "an answer without records", { names: [] }],
    ["failed", "SERVFAIL", { rcode: rcodes.serverFailure }],
    ["failed", "REFUSED", { rcode: rcodes.refused }],
    ["failed", "a name that is not a hostname", { names: [["<script>", "example"]] }],
  ])("counts as %s: %s", async (count, _what, reply) => {
    const dns = ask(await serve(() => reply));
    await dns.resolve([address]);
    expect(dns.known(address)).toBeUndefined();
    expect(dns.counts.questions).toMatchObject({ found: 0, notFound: 0, failed: 0, [count]: 1 });
  });

  test("an answer with another id than the question's is ignored", async () => {
    const server = await serve(() => ({
      message: (question) => {
        const forged = Buffer.from(question);
        forged.writeUInt16BE(0x8183, 2);
        forged.writeUInt16BE(question.readUInt16BE(0) ^ 1, 0);
        return forged;
      },
    }));
    const dns = ask(server, { questionTimeoutMs: 50 });
    await dns.resolve([address]);
    expect(dns.counts.questions).toMatchObject({ notFound: 0, timedOut: 1 });
  });

  test("a resolver that is configured by its host name is asked", async () => {
    const server = await serve(() => oneName);
    const dns = ask({ address: server.address.replace("127.0.0.1", "localhost") });
    await dns.resolve([address]);
    expect(dns.known(address)).toBe("host.example");
  });

  test.each(["127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:53", ""])(
    "%p is refused as resolver_addr",
    (text) => {
      expect(() => ask({ address: text })).toThrow(`resolver_addr: "${text}" is not host:port`);
    },
  );

  test("what is not an address is not asked about", async () => {
    const server = await serve(() => oneName);
    const dns = ask(server);
    await dns.resolve(["evil.example", "", "fe80::1%eth0"]);
    expect(server.questions).toEqual([]);
  });
});

describe("the cache", () => {
  test.each<[string, DnsReply]>([
    ["name", oneName],
    ["missing name", { rcode: rcodes.nameError }],
    ["failure", { rcode: rcodes.serverFailure }],
    ["timeout", "silence"],
  ])("holds a %s for its lifetime, and then a question is sent again", async (_what, reply) => {
    const server = await serve(() => reply);
    let nowMs = 0;
    const dns = ask(server, { now: () => nowMs, cacheTtlSeconds: 60, questionTimeoutMs: 20 });
    await dns.resolve([address]);
    nowMs = 59_999;
    await dns.resolve([address]);
    expect(server.questions).toHaveLength(1);
    expect(dns.counts.unasked.cached).toBe(1);
    nowMs = 60_000;
    expect(dns.known(address)).toBeUndefined();
    await dns.resolve([address]);
    expect(server.questions).toHaveLength(2);
  });

  test("forgets the oldest name when it is full", async () => {
    const dns = ask(await serve(() => oneName), { maxCacheEntries: 2 });
    for (const one of addresses(3)) await dns.resolve([one]);
    expect(addresses(3).map((one) => dns.known(one))).toEqual([undefined, "host.example", "host.example"]);
  });
});

describe("the confirmation of a name", () => {
  const name = "one.scanner.example";
  const needsConfirmation = (text: string) => text.endsWith(".scanner.example");
  const answers = (addresses: readonly string[]) => (question: string) =>
    question.endsWith(".arpa") ? { names: [name] } : { addresses };

  test.each([
    ["192.0.2.1", ["192.0.2.1"]],
    ["192.0.2.1", ["198.51.100.1", "192.0.2.1"]],
    ["2001:db8:0:0:0:0:0:1", ["2001:db8::1"]],
  ])("is given if the name has the address: %s", async (one, addresses) => {
    const server = await serve(answers(addresses));
    const dns = ask(server, { needsConfirmation });
    await dns.resolve([one]);
    expect(dns.confirmedName(one)).toBe(name);
    expect(server.questions).toHaveLength(2);
    expect(dns.counts).toMatchObject({ questions: { found: 1 }, confirmations: { confirmed: 1 } });
  });

  test.each<["refuted" | "unanswered", string, DnsReply]>([
    ["refuted", "has other addresses", { addresses: ["198.51.100.1"] }],
    ["refuted", "does not exist", { rcode: rcodes.nameError }],
    ["refuted", "has only addresses of the other family", { addresses: ["2001:db8::1"] }],
    ["unanswered", "cannot be looked up", { rcode: rcodes.serverFailure }],
    ["unanswered", "is not answered", "silence"],
  ])("is counted as %s if the name %s, and the name is known", async (count, _what, reply) => {
    const server = await serve((question) => (question.endsWith(".arpa") ? { names: [name] } : reply));
    const dns = ask(server, { needsConfirmation, questionTimeoutMs: 50 });
    await dns.resolve([address]);
    expect(dns.confirmedName(address)).toBeUndefined();
    expect(dns.known(address)).toBe(name);
    expect(dns.counts.confirmations).toMatchObject({ confirmed: 0, refuted: 0, unanswered: 0, [count]: 1 });
  });

  test("is not asked for if the name does not need one", async () => {
    const server = await serve(() => oneName);
    const dns = ask(server, { needsConfirmation });
    await dns.resolve([address]);
    expect(server.questions).toHaveLength(1);
    expect(dns.confirmedName(address)).toBeUndefined();
  });

  test("is cached with the name, whether it is given or not", async () => {
    const given = await serve(answers([address]));
    const refused = await serve(answers([]));
    for (const server of [given, refused]) {
      const dns = ask(server, { needsConfirmation });
      await dns.resolve([address]);
      await dns.resolve([address]);
      expect(server.questions).toHaveLength(2);
    }
  });

  test("is waited for by a batch that comes after the name and before the confirmation", async () => {
    const release = Promise.withResolvers<DnsReply>();
    const server = await serve((question) =>
      question.endsWith(".arpa") ? { names: [name] } : release.promise,
    );
    const dns = ask(server, { needsConfirmation });
    const first = dns.resolve([address]);
    await until(() => server.questions.length === 2);
    expect(dns.known(address)).toBe(name);
    const second = dns.resolve([address]).then(() => dns.confirmedName(address));
    release.resolve({ addresses: [address] });
    expect(await second).toBe(name);
    await first;
    expect(server.questions).toHaveLength(2);
  });

  test("is asked for over the rate too, and later questions are not sent until the rate has caught up", async () => {
    const server = await serve(answers([address]));
    let nowMs = 0;
    const dns = ask(server, { needsConfirmation, now: () => nowMs, maxQps: 1 });
    await dns.resolve([address]);
    expect(dns.confirmedName(address)).toBe(name);
    nowMs = 1000;
    await dns.resolve(["192.0.2.2"]);
    expect(server.questions).toHaveLength(2);
    nowMs = 2000;
    await dns.resolve(["192.0.2.2"]);
    expect(server.questions).toHaveLength(4);
  });

  test("that is open when the client is closed leaves the name unconfirmed", async () => {
    const server = await serve((question) => (question.endsWith(".arpa") ? { names: [name] } : "silence"));
    const dns = ask(server, { needsConfirmation });
    const resolved = dns.resolve([address]);
    await until(() => server.questions.length === 2);
    dns.close();
    await resolved;
    expect(dns.known(address)).toBe(name);
    expect(dns.counts.confirmations).toEqual({ confirmed: 0, refuted: 0, unanswered: 0 });
  });
});

describe("waiting", () => {
  test("ends at its bound when nothing is answered, and a late answer fills the cache", async () => {
    const late = Promise.withResolvers<DnsReply>();
    // Only the bound can end the wait: the question itself has a minute.
    const dns = ask(await serve(() => late.promise), { maxWaitMs: 30, questionTimeoutMs: 60_000 });
    const startMs = performance.now();
    await dns.resolve([address]);
    expect(performance.now() - startMs).toBeGreaterThan(25);
    expect(dns.known(address)).toBeUndefined();
    late.resolve(oneName);
    await until(() => dns.known(address) === "host.example");
  });

  test("is left out when the bound is 0", async () => {
    const server = await serve(() => oneName);
    const dns = ask(server, { maxWaitMs: 0 });
    await dns.resolve([address]);
    expect(dns.counts.questions.found).toBe(0);
    await until(() => dns.known(address) === "host.example");
  });

  test("the questions for all addresses of a batch are sent before the first answer", async () => {
    const release = Promise.withResolvers<DnsReply>();
    const server = await serve(() => release.promise);
    const dns = ask(server);
    const resolved = dns.resolve(addresses(50));
    await until(() => server.questions.length === 50);
    release.resolve(oneName);
    await resolved;
    expect(dns.counts.questions.found).toBe(50);
  });

  test("two batches with the same address share one question", async () => {
    const release = Promise.withResolvers<DnsReply>();
    const server = await serve(() => release.promise);
    const dns = ask(server);
    const both = Promise.all([dns.resolve([address, address]), dns.resolve([address])]);
    await until(() => server.questions.length > 0);
    release.resolve(oneName);
    await both;
    expect(server.questions).toHaveLength(1);
    expect(dns.known(address)).toBe("host.example");
  });
});

describe("bounds", () => {
  test("at most max_qps questions are sent per second, and a later batch sends the rest", async () => {
    const server = await serve(() => oneName);
    let nowMs = 0;
    const dns = ask(server, { now: () => nowMs, maxQps: 4 });
    await dns.resolve(addresses(10));
    expect(server.questions).toHaveLength(4);
    expect(dns.counts.unasked.overRate).toBe(6);
    nowMs = 500;
    await dns.resolve(addresses(10));
    expect(server.questions).toHaveLength(6);
  });

  test("no more questions are open than allowed", async () => {
    const server = await serve(() => "silence");
    const dns = ask(server, { maxInFlight: 3, maxWaitMs: 0 });
    await dns.resolve(addresses(10));
    expect(dns.counts.unasked.overRate).toBe(7);
  });
});

describe("a resolver that does not answer", () => {
  /** A resolver whose port is closed and that counts as away, with a clock that stands at 0. */
  async function awayResolver() {
    const lines: string[] = [];
    const note = (message: string) => lines.push(message);
    const gone = await startDnsServer(() => "silence");
    await gone.close();
    const clock = { nowMs: 0 };
    const dns = ask(gone, { now: () => clock.nowMs, log: { info: note, warn: note } });
    await dns.resolve(addresses(awayAfterUnanswered));
    const comeBack = async (answer: DnsServer["answer"]) => {
      opened.push(await startDnsServer(answer, Number(gone.address.split(":")[1])));
    };
    return { dns, clock, lines, comeBack };
  }

  test("is noticed at once when its port is closed", async () => {
    const { dns } = await awayResolver();
    expect(dns.counts.questions.unreachable).toBe(awayAfterUnanswered);
  });

  test("is noticed by its silence", async () => {
    const dns = ask(await serve(() => "silence"), { questionTimeoutMs: 20 });
    await dns.resolve(addresses(awayAfterUnanswered));
    await dns.resolve(["203.0.113.1"]);
    expect(dns.counts).toMatchObject({
      questions: { timedOut: awayAfterUnanswered },
      unasked: { resolverAway: 1 },
    });
  });

  test("is not asked at the full rate", async () => {
    const { dns } = await awayResolver();
    await dns.resolve(["203.0.113.1", "203.0.113.2"]);
    expect(dns.counts).toMatchObject({
      questions: { unreachable: awayAfterUnanswered },
      unasked: { resolverAway: 2 },
    });
  });

  test("is asked one question per interval, and no batch waits for it", async () => {
    const { dns, clock } = await awayResolver();
    clock.nowMs = probeIntervalMs;
    await dns.resolve(["203.0.113.1", "203.0.113.2"]);
    expect(dns.counts).toMatchObject({
      questions: { unreachable: awayAfterUnanswered },
      unasked: { resolverAway: 1 },
    });
    await until(() => dns.counts.questions.unreachable === awayAfterUnanswered + 1);
  });

  test("is waited for again after its first answer, whatever that says", async () => {
    const { dns, clock, comeBack } = await awayResolver();
    await comeBack((name) => (name.startsWith("1.") ? { rcode: rcodes.serverFailure } : oneName));
    clock.nowMs = probeIntervalMs;
    await dns.resolve(["203.0.113.1"]);
    await until(() => dns.counts.questions.failed === 1);
    await dns.resolve(["203.0.113.2", "203.0.113.3"]);
    expect(dns.known("203.0.113.2")).toBe("host.example");
    expect(dns.known("203.0.113.3")).toBe("host.example");
  });

  test("is logged once when it stops answering, and once when it answers again", async () => {
    const { dns, clock, lines, comeBack } = await awayResolver();
    for (const last of [1, 2, 3]) {
      clock.nowMs += probeIntervalMs;
      await dns.resolve([`203.0.113.${last}`]);
      await until(() => dns.counts.questions.unreachable === awayAfterUnanswered + last);
    }
    await comeBack(() => oneName);
    clock.nowMs += probeIntervalMs;
    await dns.resolve(["203.0.113.9"]);
    await until(() => dns.counts.questions.found === 1);
    expect(lines).toEqual([
      "DNS resolver does not answer; events get no source.domain until it answers again",
      "DNS resolver answers again",
    ]);
  });

  test("does not count as away as long as some questions are answered", async () => {
    const server = await serve((name) => (name.endsWith(".100.51.198.in-addr.arpa") ? "silence" : oneName));
    const dns = ask(server, { questionTimeoutMs: 100 });
    const silent = addresses((awayAfterUnanswered - 1) * 2);
    await dns.resolve(silent.slice(0, awayAfterUnanswered - 1));
    await dns.resolve([address]);
    await dns.resolve(silent.slice(awayAfterUnanswered - 1));
    await dns.resolve(["203.0.113.1"]);
    expect(dns.counts).toMatchObject({
      questions: { timedOut: silent.length, found: 2 },
      unasked: { resolverAway: 0 },
    });
  });
});

describe("closing", () => {
  test("ends a batch's wait and its open questions", async () => {
    const server = await serve(() => "silence");
    const dns = ask(server);
    const resolved = dns.resolve([address]);
    await until(() => server.questions.length === 1);
    dns.close();
    await resolved;
    expect(dns.counts.questions).toMatchObject({ timedOut: 0, unreachable: 0 });
  });

  test("prevents further questions", async () => {
    const server = await serve(() => oneName);
    const dns = ask(server);
    dns.close();
    await dns.resolve([address]);
    expect(server.questions).toEqual([]);
  });

  test("leaves nothing that keeps the process alive", async () => {
    const server = await serve(() => "silence");
    const program = `
      const { ReverseDns } = await import(${JSON.stringify(import.meta.resolve("../../server/enrich/reverse-dns.ts"))});
      const dns = new ReverseDns({ resolverAddr: ${JSON.stringify(server.address)}, cacheTtlSeconds: 1, maxQps: 10,
        maxWaitMs: 60_000, questionTimeoutMs: 60_000 });
      void dns.resolve(["192.0.2.1", "192.0.2.2"]).then(() => console.log("resolved"));
      setTimeout(() => dns.close(), 10);
    `;
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", timeout: 4000 });
    expect(await new Response(child.stdout).text()).toBe("resolved\n");
    expect(await child.exited).toBe(0);
  });
});
