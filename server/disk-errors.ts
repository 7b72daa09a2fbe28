/** The code of a system error, or of the one that caused it: "ENOSPC". */
function codeOf(error: unknown): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== undefined) return code;
  }
  return undefined;
}

/** Whether a call failed because the disk, or the quota of the user, is used up. */
export function isOutOfSpace(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

/** Whether a write failed because the file would exceed a limit of the process (`ulimit -f`) or of the file system. */
export function isFileTooLarge(error: unknown): boolean {
  return codeOf(error) === "EFBIG";
}
