/** A file is damaged or is not a database. The message is only the reason, such as "no such file". */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
}

export function damaged(what: string, offset: number): DatabaseError {
  return new DatabaseError(`${what}, at byte ${offset}`);
}
