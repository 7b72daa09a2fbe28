import type uPlot from "uplot";
import type { Pause } from "../../server/management/api/answers.ts";

const label = "restart";
/** The room for a label, in pixels of the page. */
const labelWidthPx = 44;
const minBandPx = 1;

/** Draws each time in which Loom did not run as a band, at least a line, and writes "restart" beside it where there is room. */
export function drawPauses(plot: uPlot, pauses: readonly Pause[], colour: string): void {
  const { ctx, bbox, scales } = plot;
  const ratio = devicePixelRatio;
  const firstAt = (scales.x?.min ?? 0) * 1000;
  // The scale ends with the last step that is over. A restart after that is drawn at the edge.
  const xOf = (atMs: number) =>
    Math.min(Math.max(plot.valToPos(atMs / 1000, "x", true), bbox.left), bbox.left + bbox.width - ratio);
  let labelledTo = bbox.left + bbox.width + labelWidthPx * ratio;
  ctx.save();
  ctx.fillStyle = colour;
  ctx.font = `${10 * ratio}px sans-serif`;
  ctx.textAlign = "right";
  ctx.textBaseline = "top";
  for (const { fromAt, toAt } of pauses.toReversed()) {
    if (toAt < firstAt) break;
    const left = xOf(fromAt);
    const width = Math.max(xOf(toAt) - left, minBandPx * ratio);
    ctx.globalAlpha = width > 3 * ratio ? 0.25 : 0.8;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    if (labelledTo - left < labelWidthPx * ratio || left - bbox.left < labelWidthPx * ratio) continue;
    ctx.globalAlpha = 1;
    ctx.fillText(label, left - 3 * ratio, bbox.top);
    labelledTo = left;
  }
  ctx.restore();
}
