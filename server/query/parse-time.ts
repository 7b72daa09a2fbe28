/*
 * Times in queries: a time before now (15m, 24h, 7d), or a date with or without a time of day. Without a zone they are UTC.
 */

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const before = /^(\d{1,6})([smhdw])$/;
const date =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?:[T ](?<clock>\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?(?<zone>Z|[+-]\d\d:\d\d)?$/i;

/** The last time that can be written with a year of four digits. */
const maxTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The forms that are read, for messages. */
export const timeForms = "15m, 24h, 7d, 2026-11-20, 2026-11-20T10:00 or 2026-11-20T10:00+01:00";

/**
 * @param now milliseconds since the epoch
 * @returns milliseconds since the epoch; undefined if the text is not a time. A time before 1970 is 0
 */
export function parseTime(text: string, now: number): number | undefined {
  const [, count, unit = ""] = before.exec(text) ?? [];
  if (count !== undefined) return Math.max(0, now - Number(count) * (unitMs[unit] ?? 0));
  const parts = date.exec(text)?.groups;
  if (!parts) return undefined;
  const { year, month, day, clock = "00:00", zone = "Z" } = parts;
  if (!isDate(Number(year), Number(month), Number(day))) return undefined;
  const ms = Date.parse(`${year}-${month}-${day}T${clock}${zone}`.toUpperCase());
  return Number.isNaN(ms) ? undefined : Math.min(maxTime, Math.max(0, ms));
}

/** Date.parse takes 30 February for 2 March. */
function isDate(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
