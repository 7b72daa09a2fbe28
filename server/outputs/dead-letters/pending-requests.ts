import { listRequests, readRequest } from "./requests.ts";

/** What the requests that wait ask for, by sequence number. */
export interface PendingRequests {
  readonly retry: ReadonlySet<number>;
  readonly drop: ReadonlySet<number>;
}

/** @param isLetter others are left out: requests may name whatever they like */
export async function readPendingRequests(
  paths: readonly string[],
  isLetter: (sequence: number) => boolean,
): Promise<PendingRequests> {
  const asked = { retry: new Set<number>(), drop: new Set<number>() };
  for (const path of paths) {
    // Served just now, or nothing that will be served; Loom's log says so.
    const request = await readRequest(path).catch(() => undefined);
    for (const sequence of request?.sequences ?? [])
      if (request && isLetter(sequence)) asked[request.action].add(sequence);
  }
  return asked;
}

/** Looks again and again, and reads only when there are other requests than at the last look: none is ever changed. */
export function createPendingRequestsReader(
  dir: string,
  output: string,
  isLetter: (sequence: number) => boolean,
): () => Promise<PendingRequests> {
  let last: { readonly names: string; readonly asked: PendingRequests } | undefined;
  return async () => {
    const paths = await listRequests(dir, output);
    const names = paths.join("\n");
    if (last?.names !== names) last = { names, asked: await readPendingRequests(paths, isLetter) };
    return last.asked;
  };
}
