import { readBoundedFile, UnreadableFileError } from "../../bounded-file.ts";

/** The certificate authorities that a system trusts have about 250 KB together. */
const maxAuthoritiesBytes = 8 * 1024 * 1024;

/**
 * Reads the certificates of a key such as `elasticsearch_ca_file`, in PEM.
 * @throws Error that names the key and the file
 */
export async function readCertificateAuthorities(key: string, path: string): Promise<string> {
  try {
    return Buffer.from((await readBoundedFile(path, maxAuthoritiesBytes)).bytes).toString();
  } catch (cause) {
    if (!(cause instanceof UnreadableFileError)) throw cause;
    throw new Error(`output: ${key}: cannot read ${path}: ${cause.message}`, { cause });
  }
}
