import { expect, test } from "bun:test";
import { isFileTooLarge, isOutOfSpace } from "../server/disk-errors.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test("a full disk and a used up quota are out of space, whether the error is the cause of another or not", () => {
  expect(isOutOfSpace(systemError("ENOSPC"))).toBe(true);
  expect(isOutOfSpace(systemError("EDQUOT"))).toBe(true);
  expect(isOutOfSpace(new Error("cannot write", { cause: systemError("ENOSPC") }))).toBe(true);
});

test("other errors are not", () => {
  for (const other of [systemError("EIO"), systemError("EFBIG"), new Error("ENOSPC"), "ENOSPC", undefined])
    expect(isOutOfSpace(other)).toBe(false);
});

test("a file that may not become larger is told apart from a full disk", () => {
  expect(isFileTooLarge(systemError("EFBIG"))).toBe(true);
  expect(isFileTooLarge(systemError("ENOSPC"))).toBe(false);
});
