/** A database could not be updated. The message is the reason, without secrets, on one line. */
export class UpdateError extends Error {
  override readonly name = "UpdateError";
  /** From `Retry-After`: how long the server asks to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: string, options: ErrorOptions & { readonly retryAfterMs?: number | undefined } = {}) {
    super(reason, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}
