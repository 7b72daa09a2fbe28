import { readFileSync } from "node:fs";

/** A request as a real sensor sent it, captured before its addresses were replaced. */
export interface CapturedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const capturedRequests: readonly CapturedRequest[] = readFileSync(
  new URL("../fixtures/spip-requests.ndjson", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
