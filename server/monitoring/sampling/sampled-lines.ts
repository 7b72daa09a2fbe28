/** Some of a batch's lines, in memory of their own. */
export interface TakenLines {
  /** Each ended by "\n". */
  readonly lines: Buffer;
  /** The number of each line's event, ascending. */
  readonly numbers: readonly number[];
}

/**
 * JSON.parse takes a millisecond for so much. Only where the configuration allows events four times as large as by
 * default are there larger ones, and they are not looked at.
 */
export const maxTakenLineBytes = 512 * 1024;

const newline = 0x0a;

/**
 * Copies lines for whoever reads them when the batch's memory is used again: all of them, or some that are spread evenly
 * over the batch, from an offset that nobody who wants to be overlooked can foresee.
 * @param firstNumber the number of the batch's first event
 */
export function takeLines(
  lines: Buffer,
  eventCount: number,
  wantedCount: number,
  firstNumber: number,
): TakenLines {
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
      if (end - start <= maxTakenLineBytes) {
        spans.push({ start, end });
        numbers.push(firstNumber + index);
        bytes += end - start;
      }
    }
    start = end;
  }
  const taken = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const span of spans) at += lines.copy(taken, at, span.start, span.end);
  return { lines: taken, numbers };
}
