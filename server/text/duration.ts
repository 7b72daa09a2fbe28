/**
 * Formats a duration for people, in one unit and rounded: "250 ms", "2.5 s", "90 s", "14 min", "3 h", "5 d". A negative
 * duration is "0 s". The dashboard's page imports this file too, so it must not use anything of Bun or Node.
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
