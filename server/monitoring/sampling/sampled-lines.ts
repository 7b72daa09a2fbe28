/** Some lines of a batch, copied into memory of their own. */
export interface SampledLines {
  /** Each line ends with "\n". */
  readonly lines: Buffer;
  /** The number of each line's event, ascending. */
  readonly numbers: readonly number[];
}

/**
 * JSON.parse needs about a millisecond for a line of this size. Longer lines are not sampled. They exist only if the
 * configuration allows events four times as large as the default.
 */
export const maxSampledLineBytes = 512 * 1024;

const newline = 0x0a;

/**
 * Copies lines of a batch, because the batch's memory is used again: all of its lines, or some that are spread evenly over
 * the batch. They begin at a random offset, so that no sensor can predict which of its events are left out.
 * @param firstNumber the number of the batch's first event
 */
export function sampleLines(
  lines: Buffer,
  eventCount: number,
  wantedCount: number,
  firstNumber: number,
): SampledLines {
  const offset = Math.random();
  const spans: { readonly start: number; readonly end: number }[] = [];
  const numbers: number[] = [];
  let bytes = 0;
  let start = 0;
  let nextWanted = 0;
  let wantedIndex = Math.floor((offset * eventCount) / wantedCount);
  for (let index = 0; nextWanted < wantedCount; index++) {
    const end = lines.indexOf(newline, start) + 1;
    if (end === 0) break;
    if (index === wantedIndex) {
      nextWanted++;
      wantedIndex = Math.floor(((nextWanted + offset) * eventCount) / wantedCount);
      if (end - start <= maxSampledLineBytes) {
        spans.push({ start, end });
        numbers.push(firstNumber + index);
        bytes += end - start;
      }
    }
    start = end;
  }
  return { lines: copyOf(lines, spans, bytes), numbers };
}

function copyOf(
  lines: Buffer,
  spans: readonly { readonly start: number; readonly end: number }[],
  bytes: number,
): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const { start, end } of spans) at += lines.copy(copy, at, start, end);
  return copy;
}
