import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Series } from "../../server/management/api/answers.ts";
import { formatClock, formatShortClock } from "../format/times.ts";
import { coloursChanged } from "../models/theme.ts";

export interface TimeChartProps {
  readonly series: Series;
  /** How a value is written at the axis and beside the pointer. */
  readonly format: (value: number) => string;
  /** What is drawn, for those who can't see it. */
  readonly label: string;
  readonly heightPx?: number;
  /** The top of the scale where it is fixed, such as 1 for shares. */
  readonly max?: number;
}

const axisWidthPx = 52;

/** A value over time as one line, with a gap where nothing is known; the value under the pointer is written above. */
export function TimeChart({ series, format, label, heightPx = 120, max }: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLParagraphElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = dataOf(series);
  // Where nothing happened, the scale of one a second.
  const emptyTop = series.stepMs / 1000;
  const latest = useRef({ data, format });
  latest.current = { data, format };
  const colours = coloursChanged.value;

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const { fontFamily } = getComputedStyle(element);
    const colour = (name: string) => colourOf(element, name);
    const axis = {
      stroke: colour("--muted"),
      grid: { stroke: colour("--rule"), width: 1 },
      ticks: { show: false },
      font: `11px ${fontFamily}`,
    };
    const created = new uPlot(
      {
        width: element.clientWidth,
        height: heightPx,
        padding: [8, 4, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 } },
        scales: { y: { range: (_, __, highest) => [0, max ?? (highest ? highest * 1.1 : emptyTop)] } },
        axes: [
          {
            ...axis,
            space: 80,
            size: 24,
            values: (_, times) => times.map((time) => formatShortClock(time * 1000)),
          },
          {
            ...axis,
            space: 32,
            size: axisWidthPx,
            values: (_, values) => values.map((value) => latest.current.format(value)),
          },
        ],
        series: [
          {},
          {
            stroke: colour("--accent"),
            width: 1.5,
            fill: colour("--accent-faint"),
            points: { show: false },
            spanGaps: false,
          },
        ],
        hooks: {
          setCursor: [
            ({ cursor }) => {
              if (readout.current) readout.current.textContent = readoutAt(cursor.idx ?? undefined);
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
  }, [colours, heightPx, max]);

  useEffect(() => plot.current?.setData(data));

  function readoutAt(index: number | undefined): string {
    const { data: now, format: write } = latest.current;
    const time = index === undefined ? undefined : now[0][index];
    if (index === undefined || time === undefined) return "";
    const value = now[1][index];
    return `${formatClock(time * 1000)}  ${value === null || value === undefined ? "nothing known" : write(value)}`;
  }

  return (
    <figure class="chart">
      <p class="readout" ref={readout} aria-hidden="true" />
      <div ref={box} role="img" aria-label={`${label}. ${summaryOf(series, format)}`} />
    </figure>
  );
}

/** A canvas takes no variable and no `light-dark()`: what the browser makes of it where the chart is. */
function colourOf(element: HTMLElement, variable: string): string {
  element.style.color = `var(${variable})`;
  const { color } = getComputedStyle(element);
  element.style.color = "";
  return color;
}

/** So many steps are drawn at least. */
const minSteps = 30;

/** What was before Loom's start is left off, so that the first hour is not drawn as a strip at the right. */
function dataOf({ startAt, stepMs, values }: Series): [number[], (number | null)[]] {
  const known = values.findIndex((value) => value !== null);
  const first = Math.max(0, Math.min(known < 0 ? values.length : known, values.length - minSteps));
  const shown = values.slice(first);
  return [shown.map((_, i) => (startAt + (first + i) * stepMs) / 1000), shown];
}

function summaryOf({ values }: Series, format: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return "Nothing is known yet.";
  return `Now ${format(known.at(-1) ?? 0)}, highest ${format(Math.max(...known))}, lowest ${format(Math.min(...known))}.`;
}
