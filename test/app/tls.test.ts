import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect, type SecureVersion } from "node:tls";
import { createCertificate } from "../support/certificate.ts";
import { maxTestMs, plainConfig, type RunningLoom, startExecutable } from "../support/executable.ts";
import { openConnection } from "../support/raw-connection.ts";
import { requestHead, send, wholeRequest } from "../support/send.ts";

setDefaultTimeout(maxTestMs);

const { cert, key } = createCertificate("loom.example");
const options = {
  config: plainConfig.replace("tls = false", 'cert_file = "tls.crt"\nkey_file = "tls.key"'),
  files: { "tls.crt": cert, "tls.key": key },
};
let loom: RunningLoom;
beforeAll(async () => {
  loom = await startExecutable(options);
});
afterAll(() => loom[Symbol.asyncDispose]());

test("a batch is kept over HTTPS", async () => {
  expect(await send(loom.ingestUrl, '[{"sent":"over https"}]')).toBe(204);
  expect(loom.stdoutBytes().toString()).toContain('{"sent":"over https"}\n');
});

test("a batch sent to a host name of one letter is kept", async () => {
  using connection = await openConnection(loom.ingestPort, "tls");
  const body = '[{"sent":"to a"}]';
  connection.send(requestHead({ host: "a", "content-length": body.length }) + body);
  expect(await connection.statuses(1)).toEqual([204]);
  expect(loom.stdoutBytes().toString()).toContain('{"sent":"to a"}\n');
});

test("plain HTTP on the TLS port is not served", async () => {
  using connection = await openConnection(loom.ingestPort);
  connection.send(wholeRequest('[{"sent":"in the clear"}]'));
  await connection.closed();
  expect(connection.received()).not.toContain("HTTP/1.1 2");
  expect(loom.stdoutBytes().toString()).not.toContain("in the clear");
});

describe("versions", () => {
  for (const version of ["TLSv1", "TLSv1.1"] as const)
    test(`${version} is refused`, async () => {
      expect(await handshake(version)).toMatch(/PROTOCOL_VERSION/);
    });

  for (const version of ["TLSv1.2", "TLSv1.3"] as const)
    test(`${version} is accepted`, async () => {
      expect(await handshake(version)).toBe(version);
    });
});

test("a client that offers HTTP/2 and HTTP/1.1, as Go does, is served HTTP/1.1", async () => {
  const socket = connect({ ...client(loom), ALPNProtocols: ["h2", "http/1.1"] });
  const answer = await new Promise<string>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (data) => resolve(String(data)));
    socket.on("secureConnect", () => socket.write(wholeRequest("[]")));
  });
  expect(socket.alpnProtocol).not.toBe("h2");
  expect(answer).toStartWith("HTTP/1.1 204 ");
  socket.destroy();
});

test("an expired certificate causes a warning, and is used", async () => {
  const expired = createCertificate("expired", new Date(Date.now() - 60_000));
  await using late = await startExecutable({
    ...options,
    files: { "tls.crt": expired.cert, "tls.key": expired.key },
  });
  expect((await late.logged("the certificate has expired"))[0]?.level).toBe("warn");
  expect(await send(late.ingestUrl, "[]")).toBe(204);
});

function client({ ingestPort }: RunningLoom) {
  return { host: "127.0.0.1", port: ingestPort, rejectUnauthorized: false };
}

/** @returns the negotiated version, or the error's code */
function handshake(version: SecureVersion): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ ...client(loom), minVersion: version, maxVersion: version });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("secureConnect", () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
  });
}
