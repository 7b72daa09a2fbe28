import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { formatDuration } from "../../server/text/duration.ts";
import { wholeSeconds } from "../format/times.ts";
import { Polled } from "../models/polled.ts";
import { useApp } from "./app-context.ts";

/** An answer older than this many intervals is stale. */
const staleAfterIntervals = 3;
const minStaleMs = 10_000;

/** An answer of the API, requested again and again while the component is on the page. */
export function usePolled<Answer>(path: string, intervalMs: number): Polled<Answer> {
  const { api, visibility } = useApp();
  // Another path keeps the model, so that the old answer stays on the page until the new one arrives.
  const polled = useMemo(
    () => new Polled<Answer>(path, { api, intervalMs, isHidden: visibility.isHidden }),
    [api, intervalMs, visibility],
  );
  useEffect(() => {
    polled.start();
    return () => polled.stop();
  }, [polled]);
  useEffect(() => polled.setPath(path), [polled, path]);
  return polled;
}

/** The parts of a `Polled` that are shown. */
type Shown<Answer> = Pick<Polled<Answer>, "answer" | "problem" | "answeredAt" | "refresh">;

export interface ResourceProps<Answer> {
  readonly of: Shown<Answer>;
  readonly intervalMs: number;
  /** What is loaded, with its article: "the sensors". */
  readonly what: string;
  readonly children: (answer: Answer) => ComponentChildren;
}

/** Shows an answer, or that it is loading, has failed or is stale. */
export function Resource<Answer>({ of: polled, intervalMs, what, children }: ResourceProps<Answer>) {
  const { localNow } = useApp().clock;
  const answer = polled.answer.value;
  const problem = polled.problem.value;
  // undefined while the answer is fresh, so that a page is not rendered every second because its answer grows older.
  const staleAgeMs = useComputed(() => {
    const ageMs = localNow.value - (polled.answeredAt.value ?? 0);
    const isStale = polled.problem.value || ageMs > Math.max(minStaleMs, staleAfterIntervals * intervalMs);
    return isStale ? ageMs : undefined;
  });
  if (answer === undefined) return <Missing of={polled} what={what} />;
  return (
    <>
      {staleAgeMs.value !== undefined && (
        <p class="stale-note" role="status">
          {navigator.onLine ? `${problem?.message ?? "No new answer"}. ` : "This machine is offline. "}
          The data shown is {formatDuration(wholeSeconds(staleAgeMs.value))} old. Retrying.
        </p>
      )}
      <div class={staleAgeMs.value === undefined ? "stack" : "stack stale"}>{children(answer)}</div>
    </>
  );
}

function Missing<Answer>({ of: polled, what }: { of: Shown<Answer>; what: string }) {
  const problem = polled.problem.value;
  if (!problem)
    return (
      <p class="placeholder" role="status">
        Loading {what}…
      </p>
    );
  return (
    <div class="placeholder" role="alert">
      <p>
        Cannot load {what}: {problem.message}. Retrying.
      </p>
      <button type="button" onClick={() => void polled.refresh()}>
        Retry now
      </button>
    </div>
  );
}
