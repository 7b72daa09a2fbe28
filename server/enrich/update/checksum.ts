import type { DownloadTarget } from "./download-targets.ts";
import { openDownload } from "./open-download.ts";
import { UpdateError } from "./update-error.ts";

/** A line of `sha256sum` has about 100 bytes. */
const maxChecksumBytes = 4096;

/**
 * Compares a SHA-256 sum with that of the server, if it has one. It is asked for after the download, so that the two belong
 * together unless a release happened in between; the next attempt succeeds then.
 *
 * @param actual in lower-case hexadecimal
 * @throws UpdateError
 */
export async function assertChecksum(
  { checksumUrl, authorization }: Pick<DownloadTarget, "checksumUrl" | "authorization">,
  actual: string,
  signal: AbortSignal,
): Promise<void> {
  if (checksumUrl === undefined) return;
  const response = await openDownload({ url: checksumUrl, authorization }, signal);
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new UpdateError(`the server answered ${response.status} for the SHA-256 sum`);
  }
  const [, expected] = /^\s*([0-9a-f]{64})(?:\s|$)/i.exec(await startOf(response, signal)) ?? [];
  if (expected === undefined) throw new UpdateError("the server sent something else for the SHA-256 sum");
  if (expected.toLowerCase() !== actual)
    throw new UpdateError(`its SHA-256 sum is ${actual}, and should be ${expected.toLowerCase()}`);
}

async function startOf(response: Response, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= maxChecksumBytes) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new UpdateError("the SHA-256 sum was cut off", { cause: error });
  }
  return Buffer.concat(chunks).toString("latin1", 0, maxChecksumBytes);
}
