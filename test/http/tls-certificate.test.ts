import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recommendedSuites } from "../../server/config/tls-suites.ts";
import { loadTlsCertificate } from "../../server/http/tls-certificate.ts";
import { createCertificate } from "../support/certificate.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-certificate-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Pem {
  readonly cert: string;
  readonly key: string;
}

/** The certificate that is loaded from these files, or the message of the error, without the folder. */
async function loaded({ cert, key }: Pem, ciphers: readonly string[] = recommendedSuites) {
  const files = { certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key"), ciphers };
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key);
  try {
    return await loadTlsCertificate(files);
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, "");
  }
}

const leaf = createCertificate("leaf.example");
const authority = createCertificate("authority.example");
const rsa = (modulusLength: number) =>
  createCertificate("rsa.example", undefined, undefined, generateKeyPairSync("rsa", { modulusLength }));
const ec = (namedCurve: string) =>
  createCertificate("ec.example", undefined, undefined, generateKeyPairSync("ec", { namedCurve }));

describe("a certificate is accepted", () => {
  const usual = { subject: "CN=leaf.example" };

  test("with its chain behind it", async () => {
    expect(await loaded({ ...leaf, cert: leaf.cert + authority.cert })).toMatchObject(usual);
  });

  test("with byte order marks, which are removed", async () => {
    const pem = await loaded({ cert: `\ufeff${leaf.cert}`, key: `\ufeff${leaf.key}` });
    expect(pem).toMatchObject({ ...usual, cert: leaf.cert, key: leaf.key });
  });

  test("with the line breaks of Windows", async () => {
    const windows = (pem: string) => pem.replaceAll("\n", "\r\n");
    expect(await loaded({ cert: windows(leaf.cert), key: windows(leaf.key) })).toMatchObject(usual);
  });

  test("with text before it, and without a line break at the end", async () => {
    expect(await loaded({ cert: `# text\n${leaf.cert.trimEnd()}`, key: leaf.key.trimEnd() })).toMatchObject(
      usual,
    );
  });

  test("with an RSA key of 2048 bits", async () => {
    expect(await loaded(rsa(2048))).toMatchObject({ subject: "CN=rsa.example" });
  });

  for (const curve of ["P-384", "P-521"])
    test(`with a key on the curve ${curve}`, async () => {
      expect(await loaded(ec(curve))).toMatchObject({ subject: "CN=ec.example" });
    });
});

describe("a certificate is refused, and the message names file and cure,", () => {
  const cure = "use a certificate with an ECDSA P-256 key, or an RSA key of 2048 bits or more";

  test("with an RSA key of 512 bits, which clients with TLS 1.3 cannot use", async () => {
    expect(await loaded(rsa(512))).toBe(
      `config: server: cert_file tls.crt cannot be used: clients cannot connect with it (SSLV3_ALERT_HANDSHAKE_FAILURE); ${cure}`,
    );
  });

  test("if no chosen suite fits its key", async () => {
    expect(await loaded(leaf, ["ECDHE-RSA-AES128-GCM-SHA256"])).toStartWith(
      "config: server: cert_file tls.crt cannot be used: clients with TLS 1.2 cannot connect with it and the suites of tls_ciphers (",
    );
  });

  test("if its chain is damaged", async () => {
    const damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    expect(await loaded({ ...leaf, cert: leaf.cert + damaged })).toStartWith(
      "config: server: cert_file tls.crt cannot be used: its chain",
    );
  });

  test("if it comes last in its file", async () => {
    expect(await loaded({ ...leaf, cert: authority.cert + leaf.cert })).toBe(
      'config: server: cert_file tls.crt begins with the certificate "CN=authority.example", but key_file tls.key belongs to "CN=leaf.example", which comes later; put that one first, then its chain',
    );
  });

  test("with the key of another one", async () => {
    expect(await loaded({ cert: leaf.cert + authority.cert, key: createCertificate("other").key })).toBe(
      "config: server: key_file tls.key does not belong to cert_file tls.crt",
    );
  });

  for (const type of ["pkcs8", "pkcs1"] as const)
    test(`with a key that has a passphrase (${type})`, async () => {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const cipher = { cipher: "aes-128-cbc", passphrase: "secret" };
      const key = privateKey.export({ type, format: "pem", ...cipher }).toString();
      expect(await loaded({ cert: leaf.cert, key })).toBe(
        'config: server: key_file tls.key is encrypted; remove the passphrase with "openssl pkey -in tls.key -out <new file>"',
      );
    });

  test("if a file does not hold PEM", async () => {
    expect(await loaded({ cert: "no", key: leaf.key })).toBe(
      "config: server: cert_file tls.crt does not hold a PEM certificate",
    );
    expect(await loaded({ cert: leaf.cert, key: "no" })).toStartWith(
      "config: server: key_file tls.key does not hold a PEM private key without a passphrase",
    );
  });
});
