/** Longer names are not compared, so that the work stays small. */
const maxComparedLength = 64;

/**
 * The name among `known` that was most likely meant by `name`; undefined when none is similar. Similar means up to one
 * edit for every three characters, ignoring case.
 */
export function findNearestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > maxComparedLength) return undefined;
  let nearest: string | undefined;
  let nearestDistance = Math.ceil(name.length / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/**
 * The number of insertions, deletions, replacements and swaps of neighbours that turn `from` into `to`: the
 * Damerau-Levenshtein distance in its "optimal string alignment" form, which does not edit the same place twice.
 */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      let best = Math.min(
        at(previous, j) + 1,
        at(current, j - 1) + 1,
        at(previous, j - 1) + (isSame ? 0 : 1),
      );
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        best = Math.min(best, at(beforePrevious, j - 2) + 1);
      }
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
