/**
 * A length of time for people, in one unit, rounded: "250 ms", "2.5 s", "90 s", "14 min", "3 h", "5 d". A negative one
 * is "0 s". The page imports this file too: nothing in it needs Bun or Node.
 */
export function formatDuration(ms: number): string {
  if (ms <= 0) return "0 s";
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 119.5) return `${Math.round(minutes)} min`;
  const hours = minutes / 60;
  return hours < 47.5 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} d`;
}
