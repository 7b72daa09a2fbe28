import { listRequests, readRequest } from "./requests.ts";

/** The sequence numbers that requests name which are not served yet. */
export interface PendingRequests {
  readonly retry: ReadonlySet<number>;
  readonly drop: ReadonlySet<number>;
}

/**
 * Reads request files. A file that cannot be read is skipped: it was served in the meantime, or the delivering process has
 * logged it and never serves it.
 * @param isRecord numbers for which it is false are left out: a request may name any number
 */
export async function readPendingRequests(
  paths: readonly string[],
  isRecord: (sequence: number) => boolean,
): Promise<PendingRequests> {
  const pending = { retry: new Set<number>(), drop: new Set<number>() };
  for (const path of paths) {
    const request = await readRequest(path).catch(() => undefined);
    for (const sequence of request?.sequences ?? [])
      if (request && isRecord(sequence)) pending[request.action].add(sequence);
  }
  return pending;
}

/** Returns a function that reads an output's pending requests, and reads the files only if there are other files than at the last call. */
export function createPendingRequestsReader(
  dir: string,
  output: string,
  isRecord: (sequence: number) => boolean,
): () => Promise<PendingRequests> {
  let last: { readonly names: string; readonly pending: PendingRequests } | undefined;
  return async () => {
    const paths = await listRequests(dir, output);
    // A request file never changes, so the names say whether the content is the same.
    const names = paths.join("\n");
    if (last?.names !== names) last = { names, pending: await readPendingRequests(paths, isRecord) };
    return last.pending;
  };
}
