import type { UpdateSource } from "../../config/update-source.ts";
import { parseRetryAfter } from "../../http/retry-after.ts";
import { UpdateError } from "./update-error.ts";

/** What an answer without a database means, and what to do. The answer's own text is not quoted. */
export function answerError({ status, headers }: Response, source: UpdateSource, now: number): UpdateError {
  const advice = adviceFor(status, source);
  return new UpdateError(`the server answered ${status}${advice === undefined ? "" : `: ${advice}`}`, {
    retryAfterMs: parseRetryAfter(headers.get("retry-after"), now),
  });
}

function adviceFor(status: number, source: UpdateSource): string | undefined {
  const isMaxmind = source.kind === "maxmind";
  switch (status) {
    case 304:
      return "the database is unchanged, but Loom did not say that it has one";
    case 401:
      return isMaxmind
        ? "LOOM_MAXMIND_ACCOUNT_ID or LOOM_MAXMIND_LICENSE_KEY is wrong"
        : "it needs credentials; put them into the query of the URL";
    case 403:
      return isMaxmind ? "the account may not download this edition" : "access is denied";
    case 404:
      return isMaxmind ? `there is no edition ${source.edition}` : "there is no such file";
    case 429:
      return "too many downloads";
    default:
      return undefined;
  }
}
