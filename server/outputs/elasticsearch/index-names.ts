const dayMs = 86_400_000;
const datePart = /%[Ymd]/g;

/**
 * Returns the function that names an event's index: `%Y`, `%m` and `%d` of `pattern` stand for the day on which the event
 * was received, in UTC. That day never changes, so a retry goes to the same index as the first attempt.
 */
export function createIndexNamer(pattern: string): (receivedAt: number) => string {
  let lastDay = Number.NaN;
  let lastName = "";
  return (receivedAt) => {
    const day = Math.floor(receivedAt / dayMs);
    if (day !== lastDay) {
      const date = new Date(day * dayMs).toISOString();
      lastName = pattern
        .replaceAll("%Y", date.slice(0, 4))
        .replaceAll("%m", date.slice(5, 7))
        .replaceAll("%d", date.slice(8, 10));
      lastDay = day;
    }
    return lastName;
  };
}

export function hasDateParts(pattern: string): boolean {
  return pattern.search(datePart) !== -1;
}

/** The patterns of a template for all indices that `pattern` names, including `<index>-000001` of an alias that rolls over. */
export function templatePatterns(pattern: string): string[] {
  return hasDateParts(pattern) ? [pattern.replace(datePart, "*")] : [pattern, `${pattern}-*`];
}

/** True for a date alone. Its template would match the dated indices of other programs too. */
export function isDateAlone(pattern: string): boolean {
  return !/[^-_.]/.test(pattern.replace(datePart, ""));
}

/** The name of the template. It begins with "loom", so that it does not replace a template of an operator. */
export function templateName(pattern: string): string {
  const base = pattern.replace(datePart, "").replace(/^[-_.]+|[-_.]+$/g, "");
  return base.startsWith("loom") ? base : `loom-${base}`;
}
