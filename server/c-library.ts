import { dlopen, type FFIFunction } from "bun:ffi";

/** The names of the C library in glibc and in musl. */
const names = ["libc.so.6", "libc.so"];

/** Functions of the C library that Bun has no API for; undefined if there is no such library, or it lacks one of them. */
export function cFunctions<const Functions extends Record<string, FFIFunction>>(functions: Functions) {
  for (const name of names) {
    try {
      return dlopen(name, functions).symbols;
    } catch {
      // The library has the other name, or this is not Linux.
    }
  }
}
