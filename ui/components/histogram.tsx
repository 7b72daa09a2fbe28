import { useSignal } from "@preact/signals";
import type { HistoryHistogramAnswer } from "../../server/management/api/answers.ts";
import { formatDuration } from "../../server/text/duration.ts";
import { formatThings } from "../format/numbers.ts";
import { formatExact, formatShortClock, formatShortDay } from "../format/times.ts";
import { barsPath, type Selection, selectedTimes } from "../models/histogram.ts";

export interface HistogramProps {
  readonly histogram: HistoryHistogramAnswer;
  /** A part was chosen by dragging. @param from milliseconds since the epoch, as `to` */
  readonly onZoom: (from: number, to: number) => void;
}

/** The number of events over time as bars. Dragging chooses a part of the time. */
export function Histogram({ histogram, onZoom }: HistogramProps) {
  const { from, intervalMs, counts } = histogram;
  const hovered = useSignal<number | undefined>(undefined);
  const selection = useSignal<Selection | undefined>(undefined);
  const to = from + counts.length * intervalMs;
  const highest = counts.reduce((most, count) => Math.max(most, count), 0);
  const shareAt = (event: PointerEvent & { readonly currentTarget: Element }) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width)));
  };
  const end = () => {
    const times = selection.value && selectedTimes(histogram, selection.value);
    selection.value = undefined;
    if (times) onZoom(times.from, times.to);
  };
  const { value: index } = hovered;
  const { value: selected } = selection;
  return (
    <figure class="histogram">
      <p class="readout" aria-hidden="true">
        <span>{`up to ${formatThings(highest, "event")} in ${formatDuration(intervalMs)}`}</span>
        <span>
          {index === undefined
            ? "drag to zoom"
            : `${shortTime(from + index * intervalMs)}  ${formatThings(counts[index] ?? 0, "event")}`}
        </span>
      </p>
      <svg
        viewBox={`0 0 ${counts.length} 100`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Events from ${formatExact(from)} to ${formatExact(to)}. The highest bar has ${formatThings(highest, "event")}.`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const at = shareAt(event);
          selection.value = { start: at, end: at };
        }}
        onPointerMove={(event) => {
          const at = shareAt(event);
          hovered.value = Math.min(counts.length - 1, Math.floor(at * counts.length));
          if (selection.value) selection.value = { ...selection.value, end: at };
        }}
        onPointerUp={end}
        onPointerCancel={() => {
          selection.value = undefined;
        }}
        onPointerLeave={() => {
          hovered.value = undefined;
        }}
      >
        <path class="bars" d={barsPath(counts, highest)} />
        {selected && (
          <rect
            x={Math.min(selected.start, selected.end) * counts.length}
            width={Math.abs(selected.end - selected.start) * counts.length}
            y="0"
            height="100"
          />
        )}
      </svg>
      <p class="axis" aria-hidden="true">
        {[from, from + (to - from) / 2, to].map((at) => (
          <span key={at}>{shortTime(at)}</span>
        ))}
      </p>
    </figure>
  );
}

function shortTime(at: number): string {
  return `${formatShortDay(at)}, ${formatShortClock(at)}`;
}
