import { cFunctions } from "../c-library.ts";

/** More than the calls that can hang at the same time: the outbox, and a cursor and a dead-letter file for each output. */
const threads = 16;

/**
 * Gives Bun's pool more threads, on which every call to a file runs. By default it has one for each core, so that on a small
 * machine two calls that hang stop all others, and the log. Bun reads the size from the environment of the C library when it
 * first uses the pool, so this must come before anything else. A size in the environment counts.
 */
export function enlargeThreadPool(): void {
  const c = cFunctions({ setenv: { args: ["cstring", "cstring", "i32"], returns: "i32" } });
  c?.setenv(cString("UV_THREADPOOL_SIZE"), cString(String(threads)), 0);
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
