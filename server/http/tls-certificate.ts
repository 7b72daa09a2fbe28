import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readBoundedFile, UnreadableFileError } from "../bounded-file.ts";
import type { TlsFiles } from "../config/config.ts";
import { type TrialCertificate, tryHandshake } from "./trial-handshake.ts";

/** A long chain has about 10 KB. */
const maxPemBytes = 1024 * 1024;
const byteOrderMark = /^\ufeff/;
const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export interface TlsCertificate extends TrialCertificate {
  readonly subject: string;
  readonly validFrom: Date;
  readonly expiresAt: Date;
}

/**
 * Reads a certificate and its key, and checks that both parse, belong together, and that clients can connect with them.
 * @throws Error that names the configuration key, the file and what to do
 */
export async function loadTlsCertificate({ certFile, keyFile, ciphers }: TlsFiles): Promise<TlsCertificate> {
  const cert = await readPem("cert_file", certFile);
  const key = await readPem("key_file", keyFile);
  const leaf = parseCertificate(cert, certFile);
  const privateKey = parseKey(key, keyFile);
  if (!leaf.checkPrivateKey(privateKey)) throw mismatch(cert, leaf, privateKey, { certFile, keyFile });
  const certificate: TlsCertificate = {
    cert,
    key,
    ciphers: ciphers.join(":"),
    subject: leaf.subject,
    validFrom: new Date(leaf.validFrom),
    expiresAt: new Date(leaf.validTo),
  };
  const failure = await tryHandshake(certificate);
  if (failure !== undefined)
    throw new Error(`config: server: cert_file ${certFile} cannot be used: ${failure}`);
  return certificate;
}

async function readPem(name: string, path: string): Promise<string> {
  try {
    const text = Buffer.from((await readBoundedFile(path, maxPemBytes)).bytes).toString();
    // Editors on Windows write it, and OpenSSL does not find the first line behind it.
    return text.replace(byteOrderMark, "");
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new Error(`config: server: cannot read ${name} ${path}: ${error.message}`, { cause: error });
  }
}

function parseCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new Error(`config: server: cert_file ${path} does not hold a PEM certificate`, { cause: error });
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === "ERR_MISSING_PASSPHRASE"
        ? `is encrypted; remove the passphrase with "openssl pkey -in ${path} -out <new file>"`
        : "does not hold a PEM private key without a passphrase, or its kind is not supported; use ECDSA P-256 or RSA";
    throw new Error(`config: server: key_file ${path} ${reason}`, { cause: error });
  }
}

/** Why the key does not belong to the first certificate: it may belong to a later one. */
function mismatch(
  pem: string,
  first: X509Certificate,
  key: KeyObject,
  { certFile, keyFile }: Pick<TlsFiles, "certFile" | "keyFile">,
): Error {
  const own = pem
    .match(pemCertificate)
    ?.map(tryParse)
    .find((one) => one?.checkPrivateKey(key));
  return new Error(
    own
      ? `config: server: cert_file ${certFile} begins with the certificate ${inline(first.subject)}, but key_file ${keyFile} belongs to ${inline(own.subject)}, which comes later; put that one first, then its chain`
      : `config: server: key_file ${keyFile} does not belong to cert_file ${certFile}`,
  );
}

function tryParse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined; // The caller looks for one that can be used.
  }
}

/** A subject has one line for each of its parts. */
function inline(subject: string): string {
  return `"${subject.replaceAll("\n", ", ")}"`;
}
