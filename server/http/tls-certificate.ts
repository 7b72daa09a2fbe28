import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

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
export function loadTlsCertificate(certFile: string, keyFile: string): TlsCertificate {
  const cert = readPem("cert_file", certFile);
  const key = readPem("key_file", keyFile);
  const certificate = parse("cert_file", certFile, "a PEM certificate", () => new X509Certificate(cert));
  const privateKey = parse("key_file", keyFile, "a PEM private key without a passphrase", () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey))
    throw new Error(`config: server: key_file ${keyFile} does not belong to cert_file ${certFile}`);
  return { cert, key, subject: certificate.subject, expiresAt: new Date(certificate.validTo) };
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`config: server: cannot read ${name} ${path}: ${(error as NodeJS.ErrnoException).code}`, {
      cause: error,
    });
  }
}

function parse<Parsed>(name: string, path: string, wanted: string, read: () => Parsed): Parsed {
  try {
    return read();
  } catch (error) {
    throw new Error(`config: server: ${name} ${path} does not hold ${wanted}`, { cause: error });
  }
}
