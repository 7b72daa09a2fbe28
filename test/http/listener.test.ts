import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Elysia } from "elysia";
import { recommendedSuites } from "../../server/config/tls-suites.ts";
import type { Connection } from "../../server/http/connection.ts";
import { Listener, type ListenerOptions } from "../../server/http/listener.ts";
import { loadTlsCertificate, type TlsCertificate } from "../../server/http/tls-certificate.ts";
import { parseNetwork } from "../../server/network.ts";
import { createCertificate } from "../support/certificate.ts";
import { openConnection } from "../support/raw-connection.ts";
import { requestHead, wholeRequest } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(30_000);

/** Bun checks the time limits of its connections every four seconds. */
const shortestLimitSeconds = 4;

type Answer = (request: Request, connection: Connection) => Promise<string>;

/** A listener on a free port that answers with the text that `answer` returns. */
function listenWith(
  answer: Answer,
  options: Partial<ListenerOptions> = {},
): { readonly listener: Listener } & AsyncDisposable {
  const listener = new Listener({
    name: "ingest",
    address: { text: "127.0.0.1:0", host: "127.0.0.1", port: 0 },
    ...options,
  });
  listener.listen(async (request, connection) => new Response(await answer(request, connection)));
  return { listener, [Symbol.asyncDispose]: () => listener.stop(0) };
}

describe.concurrent("the time that a body may take", () => {
  const bounded = () =>
    listenWith(async (request, connection) => {
      connection.limitTime(shortestLimitSeconds);
      const body = await request.text();
      connection.limitTime(undefined);
      return body;
    });

  test("ends a connection whose body stops half-way", async () => {
    await using open = bounded();
    using connection = await openConnection(open.listener.port);
    connection.send(`${requestHead({ "content-length": 10 })}half`);
    await connection.closed();
    expect(connection.received()).toBe("");
  });

  test("does not begin again with every byte", async () => {
    await using open = bounded();
    using connection = await openConnection(open.listener.port);
    connection.send(requestHead({ "content-length": 1_000_000 }));
    const trickle = setInterval(() => connection.send("x"), 100);
    await connection.closed().finally(() => clearInterval(trickle));
    expect(connection.received()).toBe("");
  });

  test("does not end the connection once the body is complete", async () => {
    await using open = bounded();
    using connection = await openConnection(open.listener.port);
    using halted = await openConnection(open.listener.port);
    connection.send(wholeRequest("[]"));
    await connection.statuses(1);
    halted.send(`${requestHead({ "content-length": 10 })}half`);
    // This connection began later and was ended, so the other one was not limited any more.
    await halted.closed();
    connection.send(wholeRequest("[]"));
    expect(await connection.statuses(2)).toEqual([200, 200]);
  });
});

describe("a short Host header", () => {
  /** Elysia finds no path in http://vm1/ingest, so an app gets the request with a longer host. */
  const answered = async (host: string, body: string) => {
    const app = new Elysia({ strictPath: true }).post(
      "/api/v1/ingest",
      async ({ request }) => `${await request.text()} with ${request.headers.get("x-spip-id")}`,
      { parse: "none" },
    );
    const open = listenWith(
      async (request, connection) =>
        `${await (await app.handle(request)).text()} from ${connection.clientAddress}`,
    );
    await using _ = open;
    using connection = await openConnection(open.listener.port);
    connection.send(
      requestHead({ host, "x-spip-id": "vps-1", "content-length": body.length, connection: "close" }) + body,
    );
    await connection.closed();
    return connection.received();
  };

  for (const host of ["a", "vm1", "a:80", "vm12", "loom.example"])
    test(`"${host}" reaches the route, with body, headers and client address`, async () => {
      expect(await answered(host, '[{"a":1}]')).toEndWith('[{"a":1}] with vps-1 from 127.0.0.1');
    });
});

describe("X-Forwarded-For", () => {
  /** The client's address as the handler sees it after it has read the body. */
  const clientFor = async (headers: Readonly<Record<string, string>>, trusted?: string) => {
    const network = parseNetwork(trusted ?? "");
    await using open = listenWith(
      async (request, connection) => `${await request.text()} from ${connection.clientAddress}`,
      network.kind === "accepted" ? { trustedProxies: [network.value] } : {},
    );
    using connection = await openConnection(open.listener.port);
    connection.send(`${requestHead({ "content-length": 2, connection: "close", ...headers })}[]`);
    await connection.closed();
    return connection.received().split("\r\n\r\n")[1];
  };
  const forwarded = { "x-forwarded-for": "192.0.2.1" };

  test("from a trusted proxy has the client's address", async () => {
    expect(await clientFor(forwarded, "127.0.0.0/8")).toBe("[] from 192.0.2.1");
  });

  test("may be several headers", async () => {
    const several = { "x-forwarded-for": "192.0.2.1", "X-Forwarded-For": "127.0.0.9" };
    expect(await clientFor(several, "127.0.0.0/8")).toBe("[] from 192.0.2.1");
  });

  test("from others has no effect", async () => {
    expect(await clientFor(forwarded, "10.0.0.0/8")).toBe("[] from 127.0.0.1");
    expect(await clientFor(forwarded)).toBe("[] from 127.0.0.1");
  });

  test("of 15,000 bytes is read from its end", async () => {
    const long = { "x-forwarded-for": `${"127.0.0.1,".repeat(1_500)}192.0.2.1,127.0.0.1` };
    expect(await clientFor(long, "127.0.0.1")).toBe("[] from 192.0.2.1");
  });
});

test("the port and the address of a listener are the configured ones until it listens", async () => {
  const listener = new Listener({
    name: "ingest",
    address: { text: "127.0.0.1:0", host: "127.0.0.1", port: 0 },
  });
  expect([listener.isListening, listener.port, listener.addressText]).toEqual([false, 0, "127.0.0.1:0"]);
  listener.listen(() => new Response());
  expect(listener.isListening).toBe(true);
  expect(listener.port).toBeGreaterThan(0);
  expect(listener.addressText).toBe(`127.0.0.1:${listener.port}`);
  await listener.stop(0);
});

test("plain HTTP stays plain HTTP when a certificate is handed over", async () => {
  await using open = listenWith(async () => "plain");
  open.listener.useCertificate(await certificate("new.example"));
  expect(open.listener.certificate).toBeUndefined();
  expect(await (await fetch(`http://127.0.0.1:${open.listener.port}/`)).text()).toBe("plain");
});

test("an address without a host is reached over IPv4", async () => {
  await using open = listenWith(async () => "here", { address: { text: ":0", host: undefined, port: 0 } });
  expect(await (await fetch(`http://127.0.0.1:${open.listener.port}/`)).text()).toBe("here");
});

describe("a listener that stops", () => {
  function heldListener() {
    const hold = Promise.withResolvers<string>();
    const began = Promise.withResolvers<void>();
    const open = listenWith(() => {
      began.resolve();
      return hold.promise;
    });
    return { listener: open.listener, hold, began: began.promise };
  }

  test("answers the requests in flight first", async () => {
    const { listener, hold, began } = heldListener();
    using connection = await openConnection(listener.port);
    connection.send(wholeRequest("[]"));
    await began;
    const { port } = listener;
    const stopped = listener.stop(20_000);
    await expect(openConnection(port)).rejects.toThrow();
    hold.resolve("answer");
    await stopped;
    await connection.closed();
    expect(connection.received()).toEndWith("answer");
  });

  test("closes the connection of a request that is not answered in time", async () => {
    const { listener, began } = heldListener();
    using connection = await openConnection(listener.port);
    connection.send(wholeRequest("[]"));
    await began;
    await listener.stop(10);
    await connection.closed();
    expect(connection.received()).toBe("");
  });
});

describe("a port that is in use", () => {
  const listenTwice = async (options: Partial<ListenerOptions>, first: Partial<ListenerOptions>) => {
    await using open = listenWith(async () => "", first);
    const address = { text: `127.0.0.1:${open.listener.port}`, host: "127.0.0.1", port: open.listener.port };
    const second = new Listener({ name: "management", address, ...options });
    try {
      second.listen(() => new Response());
      return "listens";
    } catch (error) {
      return (error as Error).message.replace(/:\d+:/, ":<port>:");
    } finally {
      await second.stop(0);
    }
  };
  const refusal = "management: cannot listen on 127.0.0.1:<port>: the port is in use by another program";

  test("is refused, with the listener's name and address", async () => {
    expect(await listenTwice({}, {})).toBe(refusal);
  });

  test("is refused by a listener with a certificate, though such listeners could share it", async () => {
    const options = { certificate: await certificate("loom.example") };
    expect(await listenTwice(options, options)).toBe(refusal);
  });
});

describe("another certificate", () => {
  test("is the one that new connections get", async () => {
    await using open = listenWith(clientOf, { certificate: await certificate("old.example") });
    using before = await openConnection(open.listener.port, "tls");
    for (const name of ["new.example", "newer.example"]) {
      open.listener.useCertificate(await certificate(name));
      using after = await openConnection(open.listener.port, "tls");
      expect(after.commonName()).toBe(name);
      expect(open.listener.certificate?.subject).toBe(`CN=${name}`);
    }
    expect(before.commonName()).toBe("old.example");
  });

  test("leaves an idle connection open, which is still answered, whatever else listens", async () => {
    await using _other = listenWith(async () => "other");
    await using open = listenWith(clientOf, { certificate: await certificate("old.example") });
    using connection = await openConnection(open.listener.port, "tls");
    connection.send(wholeRequest("[]"));
    await connection.statuses(1);
    open.listener.useCertificate(await certificate("new.example"));
    using after = await openConnection(open.listener.port, "tls");
    expect(after.commonName()).toBe("new.example");
    connection.send(wholeRequest("[]"));
    expect(await connection.statuses(2)).toEqual([200, 200]);
  });

  test("is used if only its certificate differs, not its key", async () => {
    const old = await certificate("old.example");
    await using open = listenWith(clientOf, { certificate: old });
    const renewed = { ...old, cert: `${old.cert}\n` };
    open.listener.useCertificate(renewed);
    expect(open.listener.certificate).toBe(renewed);
  });

  const clientOf: Answer = async (_, { clientAddress }) => `client ${clientAddress}`;

  test("leaves the client's address known on a connection that was open before", async () => {
    await using open = listenWith(clientOf, { certificate: await certificate("old.example") });
    using connection = await openConnection(open.listener.port, "tls");
    open.listener.useCertificate(await certificate("new.example"));
    connection.send(wholeRequest("[]"));
    await connection.statuses(1);
    expect(connection.received()).toEndWith("client 127.0.0.1");
  });

  test("that is the same opens no descriptor", async () => {
    const same = await certificate("old.example");
    await using open = listenWith(clientOf, { certificate: same });
    const before = readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 100; i++) open.listener.useCertificate({ ...same });
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });

  const descriptors = () => readdirSync("/proc/self/fd").length;

  test("costs no descriptor once the connections of the earlier one are gone: 50 certificates", async () => {
    const certificates = await Promise.all(["even.example", "odd.example"].map(certificate));
    await using open = listenWith(clientOf, { certificate: certificates[1], replacedIdleMs: 20 });
    const before = descriptors();
    for (let i = 0; i < 50; i++) {
      const next = certificates[i % 2];
      if (next) open.listener.useCertificate(next);
      // Servers are closed meanwhile, and the order of those that listen changes.
      using connection = await openConnection(open.listener.port, "tls");
      expect(connection.commonName()).toBe(i % 2 === 0 ? "even.example" : "odd.example");
      connection.send(wholeRequest("[]"));
      await connection.statuses(1);
    }
    await until("the descriptors are closed", () => descriptors() <= before);
    using connection = await openConnection(open.listener.port, "tls");
    expect(connection.commonName()).toBe("odd.example");
  });

  test("does not close a server that has a request in flight, which is answered", async () => {
    const hold = Promise.withResolvers<string>();
    const began = Promise.withResolvers<void>();
    const answer: Answer = (request) => {
      if (new URL(request.url).pathname !== "/api/v1/ingest") return Promise.resolve("other");
      began.resolve();
      return hold.promise;
    };
    await using open = listenWith(answer, {
      certificate: await certificate("old.example"),
      replacedIdleMs: 5,
    });
    const before = descriptors();
    using connection = await openConnection(open.listener.port, "tls");
    connection.send(wholeRequest("[]"));
    await began.promise;
    open.listener.useCertificate(await certificate("new.example"));
    open.listener.useCertificate(await certificate("newer.example"));
    // The server between has no request, and is closed.
    await until("one server is closed", () => descriptors() <= before + 3);
    hold.resolve("answer");
    await connection.statuses(1);
    expect(connection.received()).toEndWith("answer");
    await until("the first server is closed too", () => descriptors() <= before);
  });

  test("that arrives during the stop does not make it listen again", async () => {
    const { listener } = listenWith(clientOf, { certificate: await certificate("old.example") });
    listener.useCertificate(await certificate("new.example"));
    await listener.stop(0);
    listener.useCertificate(await certificate("newer.example"));
    await expect(openConnection(listener.port)).rejects.toThrow();
  });
});

async function certificate(commonName: string): Promise<TlsCertificate> {
  const folder = mkdtempSync(join(tmpdir(), "loom-certificate-"));
  const { cert, key } = createCertificate(commonName);
  writeFileSync(join(folder, "tls.crt"), cert);
  writeFileSync(join(folder, "tls.key"), key);
  try {
    return await loadTlsCertificate({
      certFile: join(folder, "tls.crt"),
      keyFile: join(folder, "tls.key"),
      ciphers: recommendedSuites,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
