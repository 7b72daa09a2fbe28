import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Listener, type ListenerOptions, listen } from "../../server/http/listener.ts";
import { loadTlsCertificate, type TlsCertificate } from "../../server/http/tls-certificate.ts";
import { createCertificate } from "../support/certificate.ts";
import { openConnection } from "../support/raw-connection.ts";
import { requestHead, wholeRequest } from "../support/send.ts";

setDefaultTimeout(30_000);

/** Bun looks at its connections' time every four seconds. */
const shortestLimitSeconds = 4;

/** A listener on a free port that answers with what `answer` makes of a request. */
function listenWith(
  answer: (listener: Listener, request: Request) => Promise<string>,
  options: Partial<ListenerOptions> = {},
): Listener & AsyncDisposable {
  const listener = listen({
    name: "ingest",
    address: { text: "127.0.0.1:0", host: "127.0.0.1", port: 0 },
    handle: async (request) => new Response(await answer(listener, request)),
    ...options,
  });
  return { ...listener, [Symbol.asyncDispose]: () => listener.stop(0) };
}

describe.concurrent("the time that a body may take", () => {
  const bounded = () =>
    listenWith(async (listener, request) => {
      listener.limitTime(request, shortestLimitSeconds);
      const body = await request.text();
      listener.limitTime(request, undefined);
      return body;
    });

  test("ends a connection whose body stops half-way", async () => {
    await using listener = bounded();
    using connection = await openConnection(listener.port);
    connection.send(`${requestHead({ "content-length": 10 })}half`);
    await connection.closed();
    expect(connection.received()).toBe("");
  });

  test("does not begin anew with every byte", async () => {
    await using listener = bounded();
    using connection = await openConnection(listener.port);
    connection.send(requestHead({ "content-length": 1_000_000 }));
    const trickle = setInterval(() => connection.send("x"), 100);
    await connection.closed().finally(() => clearInterval(trickle));
    expect(connection.received()).toBe("");
  });

  test("does not end the connection once the body is there", async () => {
    await using listener = bounded();
    using connection = await openConnection(listener.port);
    using halted = await openConnection(listener.port);
    connection.send(wholeRequest("[]"));
    await connection.statuses(1);
    halted.send(`${requestHead({ "content-length": 10 })}half`);
    // It began later and is ended: the one whose body was there would have been, too.
    await halted.closed();
    connection.send(wholeRequest("[]"));
    expect(await connection.statuses(2)).toEqual([200, 200]);
  });
});

describe("another certificate", () => {
  const clientOf = async (listener: Listener, request: Request) => `client ${listener.clientOf(request)}`;

  test("leaves the client's address known on a connection that was open before", async () => {
    await using listener = listenWith(clientOf, { certificate: certificate("old.example") });
    using connection = await openConnection(listener.port, "tls");
    listener.useCertificate(certificate("new.example"));
    connection.send(wholeRequest("[]"));
    await connection.statuses(1);
    expect(connection.received()).toEndWith("client 127.0.0.1");
  });

  test("that is the same takes no descriptor", async () => {
    const same = certificate("old.example");
    await using listener = listenWith(clientOf, { certificate: same });
    const before = readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 100; i++) listener.useCertificate({ ...same });
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });

  test("that comes once it stops does not make it listen again", async () => {
    const listener = listenWith(clientOf, { certificate: certificate("old.example") });
    listener.useCertificate(certificate("new.example"));
    await listener.stop(0);
    listener.useCertificate(certificate("newer.example"));
    await expect(openConnection(listener.port)).rejects.toThrow();
  });
});

function certificate(commonName: string): TlsCertificate {
  const folder = mkdtempSync(join(tmpdir(), "loom-certificate-"));
  const { cert, key } = createCertificate(commonName);
  writeFileSync(join(folder, "tls.crt"), cert);
  writeFileSync(join(folder, "tls.key"), key);
  try {
    return loadTlsCertificate(join(folder, "tls.crt"), join(folder, "tls.key"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
