import { formatCount } from "../format/numbers.ts";
import { formatClock } from "../format/times.ts";
import type { ShownCounts, Tail } from "../models/tail.ts";
import { useApp } from "./app-context.ts";
import { StateMark } from "./state-mark.tsx";
import { Until } from "./times.tsx";

/** The pause button of a tail, its connection, its counts, and its latest gap. */
export function TailStatus({ tail }: { tail: Tail }) {
  return (
    <>
      <div class="toolbar">
        <button type="button" aria-pressed={tail.isPaused} onClick={() => tail.togglePause()}>
          {tail.isPaused.value ? "Resume" : "Pause"} <kbd>p</kbd>
        </button>
        <Connection tail={tail} />
        <Counts counts={tail.counts.value} isPaused={tail.isPaused.value} />
      </div>
      {tail.latestGap.value && (
        <p class="gap-note" role="status">
          {tail.latestGap}{" "}
          <button
            type="button"
            class="quiet-button"
            aria-label="Dismiss this note"
            onClick={() => {
              tail.latestGap.value = undefined;
            }}
          >
            ×
          </button>
        </p>
      )}
    </>
  );
}

function Connection({ tail }: { tail: Tail }) {
  const { serverAheadMs } = useApp().api;
  const { state, nextTryAt, problem } = tail.connection.value;
  if (state === "open") return <StateMark mood="good">live</StateMark>;
  if (state === "connecting") return <StateMark mood="calm">connecting</StateMark>;
  return (
    <StateMark mood="attention">
      not connected{problem && `: ${problem}`}; reconnecting{" "}
      {/* `Until` compares with Loom's clock, and `nextTryAt` is by this machine's. */}
      {nextTryAt !== undefined && <Until at={nextTryAt + serverAheadMs.value} />}
    </StateMark>
  );
}

/** Every event since the query was set is in one of these counts. Counts of what is missing are shown only if there is any. */
function Counts({ counts, isPaused }: { counts: ShownCounts; isPaused: boolean }) {
  const { sinceAt, kept, matched, shown, waiting, notShown, unexamined, missed } = counts;
  return (
    <p class="counts" role="status" aria-live="off">
      since {formatClock(sinceAt)}: <b>{formatCount(kept)}</b> events, <b>{formatCount(matched)}</b> match,{" "}
      <b data-count="shown">{formatCount(shown)}</b> shown,{" "}
      <span class={notShown > 0 ? "attention" : undefined}>
        <b data-count="not-shown">{formatCount(notShown)}</b> not shown
      </span>
      {isPaused && (
        <>
          , <b data-count="waiting">{formatCount(waiting)}</b> new while paused
        </>
      )}
      {unexamined > 0 && (
        <span
          class="attention"
          title="These events arrived faster than Loom samples events, or are larger than 512 KiB. All of them are kept."
        >
          , {formatCount(unexamined)} not sampled
        </span>
      )}
      {missed > 0 && (
        <span
          class="attention"
          title="Newer events evicted these from Loom's memory before this page received them. All of them are kept."
        >
          , {formatCount(missed)} missed
        </span>
      )}
    </p>
  );
}
