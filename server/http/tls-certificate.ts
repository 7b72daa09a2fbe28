import { createPrivateKey, X509Certificate } from "node:crypto";
import { readBoundedFile, UnreadableFileError } from "../bounded-file.ts";

/** A long chain has about 10 KB. */
const maxPemBytes = 1024 * 1024;

export interface TlsCertificate {
  /** In PEM: the certificate, then its chain. */
  readonly cert: string;
  /** In PEM. */
  readonly key: string;
  readonly subject: string;
  readonly expiresAt: Date;
}

/**
 * Reads a certificate and its key, and checks that both parse and belong together.
 * @throws Error that names the configuration key and the file
 */
export async function loadTlsCertificate(certFile: string, keyFile: string): Promise<TlsCertificate> {
  const cert = await readPem("cert_file", certFile);
  const key = await readPem("key_file", keyFile);
  const certificate = parse("cert_file", certFile, "a PEM certificate", () => new X509Certificate(cert));
  const privateKey = parse("key_file", keyFile, "a PEM private key without a passphrase", () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey))
    throw new Error(`config: server: key_file ${keyFile} does not belong to cert_file ${certFile}`);
  return { cert, key, subject: certificate.subject, expiresAt: new Date(certificate.validTo) };
}

async function readPem(name: string, path: string): Promise<string> {
  try {
    return Buffer.from((await readBoundedFile(path, maxPemBytes)).bytes).toString();
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new Error(`config: server: cannot read ${name} ${path}: ${error.message}`, { cause: error });
  }
}

function parse<Parsed>(name: string, path: string, wanted: string, read: () => Parsed): Parsed {
  try {
    return read();
  } catch (error) {
    throw new Error(`config: server: ${name} ${path} does not hold ${wanted}`, { cause: error });
  }
}
