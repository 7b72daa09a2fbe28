import type { Pause } from "../../server/management/api/answers.ts";
import { formatDuration } from "../../server/text/duration.ts";
import { formatDay, formatShortClock, wholeSeconds } from "./times.ts";

/** The restarts in a sentence, for screen readers and below lists; "" if there was none. */
export function pausesSentence(pauses: readonly Pause[]): string {
  const last = pauses.at(-1);
  if (!last) return "";
  const when = `${formatDay(last.toAt)}, ${formatShortClock(last.toAt)}`;
  if (pauses.length === 1)
    return `Loom was restarted on ${when}, after it had not run for ${lengthOf(last)}.`;
  const total = pauses.reduce((sum, { fromAt, toAt }) => sum + toAt - fromAt, 0);
  return `Loom was restarted ${pauses.length} times, the last time on ${when}. It did not run for ${lengthOf({ fromAt: 0, toAt: total })} in all.`;
}

function lengthOf({ fromAt, toAt }: Pause): string {
  return toAt - fromAt < 1000 ? "less than a second" : formatDuration(wholeSeconds(toAt - fromAt));
}
