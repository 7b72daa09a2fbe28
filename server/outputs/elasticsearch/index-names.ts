const dayMs = 86_400_000;
const datePart = /%[Ymd]/g;

/**
 * Makes the function that names an event's index: `%Y`, `%m` and `%d` of `pattern` stand for the day of its receipt, in
 * UTC. The day of receipt never changes, so a retry goes to the same index as the first attempt.
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

/** The patterns of a template for all indices that `pattern` names, a rolled-over alias's `<index>-000001` among them. */
export function templatePatterns(pattern: string): string[] {
  return hasDateParts(pattern) ? [pattern.replace(datePart, "*")] : [pattern, `${pattern}-*`];
}

/** A date alone: its template would match the indices of everybody else who dates them. */
export function isDateAlone(pattern: string): boolean {
  return !/[^-_.]/.test(pattern.replace(datePart, ""));
}

/** What the template is called: never a name that an operator's own template is likely to have. */
export function templateName(pattern: string): string {
  const base = pattern.replace(datePart, "").replace(/^[-_.]+|[-_.]+$/g, "");
  return base.startsWith("loom") ? base : `loom-${base}`;
}
