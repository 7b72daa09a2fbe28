import { afterAll, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { connect, type SecureVersion } from "node:tls";
import { recommendedSuites, tls12Suites } from "../../server/config/tls-suites.ts";
import { Listener } from "../../server/http/listener.ts";
import { createCertificate } from "../support/certificate.ts";

const certificates = {
  ECDSA: createCertificate("ec.example"),
  RSA: createCertificate(
    "rsa.example",
    undefined,
    undefined,
    generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ),
};
type KeyKind = keyof typeof certificates;
const listeners: Listener[] = [];
afterAll(async () => {
  await Promise.all(listeners.map((listener) => listener.stop(0)));
});

function listenWith(kind: KeyKind, suites: readonly string[]): number {
  const dates = { validFrom: new Date(), expiresAt: new Date() };
  const listener = new Listener({
    name: "ingest",
    address: { text: "127.0.0.1:0", host: "127.0.0.1", port: 0 },
    certificate: { ...certificates[kind], ...dates, ciphers: suites.join(":"), subject: kind },
  });
  listener.listen(() => new Response());
  listeners.push(listener);
  return listener.port;
}

/** The suite that a client which offers only these gets, or "refused". */
function suiteWith(port: number, ciphers: string, maxVersion: SecureVersion = "TLSv1.2"): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ciphers, maxVersion });
    socket.on("error", () => resolve("refused"));
    socket.on("secureConnect", () => {
      resolve(socket.getCipher().name);
      socket.destroy();
    });
  });
}

const usual = {
  ECDSA: listenWith("ECDSA", recommendedSuites),
  RSA: listenWith("RSA", recommendedSuites),
};

for (const suite of tls12Suites) {
  const kind = suite.includes("ECDSA") ? "ECDSA" : "RSA";
  const isRecommended = recommendedSuites.some((one) => one === suite);
  test(`${suite} is ${isRecommended ? "accepted" : "refused"} by default, and accepted if it is configured`, async () => {
    expect(await suiteWith(usual[kind], suite)).toBe(isRecommended ? suite : "refused");
    expect(await suiteWith(listenWith(kind, [suite]), suite)).toBe(suite);
  });
}

test("every recommended suite has forward secrecy", () => {
  for (const suite of recommendedSuites) expect(suite).toStartWith("ECDHE-");
});

test("TLS 1.3 works whatever suites are configured", async () => {
  const port = listenWith("RSA", ["AES128-SHA"]);
  expect(await suiteWith(port, "AES128-SHA", "TLSv1.3")).toStartWith("TLS_");
});
