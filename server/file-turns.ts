import { SerialQueue } from "./serial-queue.ts";

/*
 * Bun runs file operations on a pool that has as few as two threads. An operation on a hung mount blocks its thread until the
 * mount answers, and nothing can cancel it. If several did so at once, the outbox could not write any more. So the files that
 * Loom only reads, such as tokens, certificates and databases, are read one at a time, and while one hangs, no other is begun.
 */

/** How long a read may make no progress before Loom gives up on it. */
export const maxFileWaitMs = 10_000;

/** How long an operation may take to end after its time is over, before it counts as hanging. */
const cancelMs = 100;

/** A file operation took too long, or one before it still hangs. The message is the reason alone. */
export class FileWaitError extends Error {
  override readonly name = "FileWaitError";
}

export interface FileTurn {
  /** Aborted when the operation took too long, so that it ends as soon as it can. */
  readonly signal: AbortSignal;
  /** To be called after each step, which starts the time again. */
  progress(): void;
}

const turns = new SerialQueue();
/** The path of an operation that took too long and has not ended. */
let hangingPath: string | undefined;

/**
 * Runs an operation that only reads files when those before it have ended.
 * @param path the file, for errors
 * @throws FileWaitError after `maxWaitMs` without progress; the operation is left to itself then
 */
export function inFileTurn<Result>(
  path: string,
  operation: (turn: FileTurn) => Promise<Result>,
  maxWaitMs = maxFileWaitMs,
): Promise<Result> {
  return turns.run(() => runWithin(path, operation, maxWaitMs));
}

async function runWithin<Result>(
  path: string,
  operation: (turn: FileTurn) => Promise<Result>,
  maxWaitMs: number,
): Promise<Result> {
  if (hangingPath !== undefined)
    throw new FileWaitError(`not read, because reading ${hangingPath} still hangs`);
  const { promise: abandoned, reject: abandon } = Promise.withResolvers<never>();
  const tooLong = new FileWaitError(`no answer within ${maxWaitMs / 1000} s`);
  const controller = new AbortController();
  let hasEnded = false;
  const timer = setTimeout(() => {
    controller.abort(tooLong);
    setTimeout(() => {
      if (hasEnded) return;
      hangingPath = path;
      abandon(tooLong);
    }, cancelMs);
  }, maxWaitMs);
  const running = operation({
    signal: controller.signal,
    progress() {
      if (!controller.signal.aborted) timer.refresh();
    },
  }).finally(() => {
    hasEnded = true;
    clearTimeout(timer);
    // Only one operation runs at a time, so this one is the one that hung.
    hangingPath = undefined;
  });
  try {
    return await Promise.race([running, abandoned]);
  } catch (error) {
    throw controller.signal.aborted ? tooLong : error;
  }
}
