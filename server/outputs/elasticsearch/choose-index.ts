import type { Log } from "../../telemetry/log.ts";
import { outcomeOfFailure } from "../http/failure.ts";
import type { ClusterClient } from "./client.ts";
import { errorText, objectOr } from "./error-text.ts";
import type { WholeOutcome } from "./judge-answer.ts";

/** The index of Loom 0.1 when `elasticsearch_index` was not set. It grows without a limit. */
export const singleIndex = "loom-events";
/** The index when `elasticsearch_index` is not set. An operator can delete old days. */
export const dailyIndex = "loom-events-%Y.%m.%d";
const isDailyIndex = /^loom-events-\d{4}\.\d\d\.\d\d$/;

const maxAnswerBytes = 1024 * 1024;

interface ChosenIndex {
  readonly kind: "chosen";
  readonly index: string;
}

/**
 * Chooses the index when the configuration names none: an index for each day, or {@link singleIndex} if an index, an alias or
 * a data stream of that name exists. An alias that only serves to search the daily indices does not count.
 */
export async function chooseIndex(
  client: ClusterClient,
  log: Log,
  signal: AbortSignal,
): Promise<ChosenIndex | WholeOutcome> {
  const path = `/${singleIndex}?filter_path=*.aliases,*.data_stream,error.type,error.reason`;
  const answer = await client.request({ method: "GET", path, maxAnswerBytes }, signal);
  if (answer.kind === "failed") return outcomeOfFailure(answer);
  const { status, json } = answer;
  const { error, ...found } = objectOr(json);
  if (status === 404 && objectOr(error).type === "index_not_found_exception") return chosen(dailyIndex);
  if (status === 200 && json !== undefined) {
    if (isSearchAlias(found)) return chosen(dailyIndex);
    log.info("elasticsearch_index is not set, and an index of the earlier default exists: it stays in use", {
      index: singleIndex,
      to_change: `set elasticsearch_index = "${dailyIndex}"`,
    });
    return chosen(singleIndex);
  }
  if (status === 403) {
    log.warn("elasticsearch_index is not set, and the user may not see whether the earlier default exists", {
      index: singleIndex,
      to_change: `allow view_index_metadata for it, or set elasticsearch_index = "${dailyIndex}"`,
    });
    return chosen(singleIndex);
  }
  const reason = `cannot find out whether the index ${singleIndex} exists: HTTP ${status} ${errorText(error)}`;
  return status === 200 || status === 429 || status >= 500
    ? { kind: "retry", reason: reason.trimEnd() }
    : { kind: "hold", reason: `${reason.trimEnd()}; fix this or set elasticsearch_index` };
}

function chosen(index: string): ChosenIndex {
  return { kind: "chosen", index };
}

/** True for an alias of daily indices only, none of which it writes to. @param found the indices of the alias by name */
function isSearchAlias(found: Readonly<Record<string, unknown>>): boolean {
  const entries = Object.entries(found);
  return (
    entries.length > 0 &&
    entries.every(([name, index]) => {
      const alias = objectOr(objectOr(objectOr(index).aliases)[singleIndex]);
      return isDailyIndex.test(name) && alias.is_write_index !== true;
    })
  );
}
