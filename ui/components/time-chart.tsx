import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Series } from "../../server/management/api/answers.ts";
import { formatDuration } from "../../server/text/duration.ts";
import { pausesSentence } from "../format/pauses.ts";
import { chartData, isEmpty, readoutAt, summaryOf, timeLabels } from "../format/series.ts";
import { useApp } from "./app-context.ts";
import { drawPauses } from "./pause-marks.ts";

export interface TimeChartProps {
  readonly series: Series;
  /** Formats a value for the axis and the readout. */
  readonly format: (value: number) => string;
  /** What the chart shows, for screen readers. */
  readonly label: string;
  readonly heightPx?: number;
  /** The top of the scale if it is fixed, such as 1 for shares. */
  readonly max?: number;
}

const axisWidthPx = 52;

/**
 * A value over time as a line, with gaps where nothing is known. Each restart is marked. The value under the pointer is
 * written above.
 */
export function TimeChart({ series, format, label, heightPx = 120, max }: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLParagraphElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = chartData(series);
  const { pauses } = series;
  const latest = useRef({ data, format, pauses });
  latest.current = { data, format, pauses };
  const colourChanges = useApp().theme.colourChanges.value;
  // With no events, the scale ends at one per second.
  const emptyTop = series.stepMs / 1000;

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const created = new uPlot(
      {
        ...optionsFor(element, (value) => latest.current.format(value)),
        width: element.clientWidth,
        height: heightPx,
        scales: { y: { range: (_, __, highest) => [0, max ?? (highest ? highest * 1.1 : emptyTop)] } },
        hooks: {
          draw: [(drawn) => drawPauses(drawn, latest.current.pauses, colourOf(element, "--muted"))],
          setCursor: [
            ({ cursor }) => {
              const { data: drawn, format: write } = latest.current;
              if (readout.current)
                readout.current.textContent = readoutAt(drawn, cursor.idx ?? undefined, write);
            },
          ],
        },
      },
      latest.current.data,
      element,
    );
    plot.current = created;
    const sizes = new ResizeObserver(() => created.setSize({ width: element.clientWidth, height: heightPx }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      created.destroy();
      plot.current = undefined;
    };
  }, [colourChanges, heightPx, max]);

  useEffect(() => plot.current?.setData(data));

  return (
    <figure class="chart">
      <p class="readout" ref={readout} aria-hidden="true" />
      <div
        ref={box}
        role="img"
        aria-label={`${label}. ${summaryOf(series, format)} ${pausesSentence(pauses)}`.trim()}
      />
      {isEmpty(series) && (
        <p class="muted">No data yet. Each point covers {formatDuration(series.stepMs)}.</p>
      )}
    </figure>
  );
}

/** The options that depend only on the colours and the font of the element. */
function optionsFor(element: HTMLElement, format: (value: number) => string) {
  const { fontFamily } = getComputedStyle(element);
  const axis = {
    stroke: colourOf(element, "--muted"),
    grid: { stroke: colourOf(element, "--rule"), width: 1 },
    ticks: { show: false },
    font: `11px ${fontFamily}`,
  };
  return {
    // On the right, half of a label: a time at the very edge would be cut off.
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 } },
    axes: [
      {
        ...axis,
        space: 80,
        size: 24,
        values: (_, times) => timeLabels(times),
      },
      { ...axis, space: 32, size: axisWidthPx, values: (_, values) => values.map(format) },
    ],
    series: [
      {},
      {
        stroke: colourOf(element, "--accent"),
        width: 1.5,
        fill: colourOf(element, "--accent-faint"),
        // A line needs two values; a single one is drawn as a point.
        points: {
          show: ({ data }) => Array.from(data[1] ?? []).filter((value) => value !== null).length === 1,
        },
        spanGaps: false,
      },
    ],
  } satisfies Partial<uPlot.Options>;
}

/** The computed value of a style variable: a canvas understands neither variables nor `light-dark()`. */
function colourOf(element: HTMLElement, variable: string): string {
  element.style.color = `var(${variable})`;
  const { color } = getComputedStyle(element);
  element.style.color = "";
  return color;
}
