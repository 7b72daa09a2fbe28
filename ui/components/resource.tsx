import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { formatDuration } from "../format/times.ts";
import { localNow } from "../models/clock.ts";
import { Polled } from "../models/polled.ts";

/** Answers older than this many intervals are called old. */
const staleAfterIntervals = 3;
const minStaleMs = 10_000;

/** An answer of the API that is asked for while the component is on the page. */
export function usePolled<Answer>(path: string, intervalMs: number): Polled<Answer> {
  // Another path is another question of the same model: what is on the page stays until it is answered.
  const polled = useMemo(() => new Polled<Answer>(path, intervalMs), [intervalMs]);
  useEffect(() => {
    polled.start();
    return () => polled.stop();
  }, [polled]);
  useEffect(() => polled.ask(path), [polled, path]);
  return polled;
}

export interface ResourceProps<Answer> {
  readonly of: Polled<Answer>;
  readonly intervalMs: number;
  /** What is being loaded: "sensors". */
  readonly what: string;
  readonly children: (answer: Answer) => ComponentChildren;
}

/** What is known of an answer: it is loading, it failed, it is old, or here it is. */
export function Resource<Answer>({ of: polled, intervalMs, what, children }: ResourceProps<Answer>) {
  const answer = polled.answer.value;
  const problem = polled.problem.value;
  // undefined while it is fresh, so that a page is not drawn anew every second for the sake of its age.
  const staleAgeMs = useComputed(() => {
    const ageMs = localNow.value - (polled.answeredAt.value ?? 0);
    const isStale = polled.problem.value || ageMs > Math.max(minStaleMs, staleAfterIntervals * intervalMs);
    return isStale ? ageMs : undefined;
  });
  if (answer === undefined) {
    if (!problem)
      return (
        <p class="placeholder" role="status">
          Loading {what}…
        </p>
      );
    return (
      <div class="placeholder" role="alert">
        <p>
          Cannot show {what}: {problem.message}. Trying again.
        </p>
        <button type="button" onClick={() => void polled.refresh()}>
          Try now
        </button>
      </div>
    );
  }
  return (
    <>
      {staleAgeMs.value !== undefined && (
        <p class="stale-note" role="status">
          {navigator.onLine ? `${problem?.message ?? "No new answer"}. ` : "This machine is offline. "}
          What you see is {formatDuration(staleAgeMs.value)} old; trying again.
        </p>
      )}
      <div class={staleAgeMs.value === undefined ? "stack" : "stack stale"}>{children(answer)}</div>
    </>
  );
}
