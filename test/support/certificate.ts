import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface TestCertificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  readonly commonName: string;
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const hour = 3_600_000;

/**
 * A self-signed certificate (X.509 v3, RFC 5280; by default ECDSA P-256 with SHA-256) and its key, valid for an hour before and
 * after now, so that no test needs `openssl` and the repository contains no key. With another issuer's name, the certificate
 * names that issuer but is still signed with its own key.
 */
export function createCertificate(
  commonName: string,
  expiresAt = new Date(Date.now() + hour),
  issuerName = commonName,
  { publicKey, privateKey }: KeyPair = generateKeyPairSync("ec", { namedCurve: "P-256" }),
): TestCertificate {
  const algorithm = privateKey.asymmetricKeyType === "rsa" ? rsaWithSha256 : ecdsaWithSha256;
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuerName),
    sequence(time(new Date(expiresAt.getTime() - 2 * hour)), time(expiresAt)),
    distinguishedName(commonName),
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", signed, privateKey)]));
  const base64 = sequence(signed, algorithm, signature).toString("base64");
  return {
    commonName,
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId("550403"), der(0x0c, Buffer.from(commonName)))));
}

/** Encodes a value in DER (X.690): tag, length, content. */
function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

/** 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = sequence(objectId("2a8648ce3d040302"));

/** 1.2.840.113549.1.1.11, with its parameter NULL. */
const rsaWithSha256 = sequence(objectId("2a864886f70d01010b"), der(0x05, Buffer.alloc(0)));

/** UTCTime, which RFC 5280 requires for years until 2049: YYMMDDHHMMSSZ. */
function time(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, "")}Z`));
}
