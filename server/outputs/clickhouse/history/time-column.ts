/** The column `timestamp` in SQL. Times are milliseconds since the epoch. */
export interface TimeColumn {
  /** The time of a row as Int64. */
  readonly milliseconds: string;
  /** The condition that a row is of this time or later. It uses the table's index. */
  since(time: number): string;
  /** The condition that a row is earlier than this time. */
  before(time: number): string;
}

/** DateTime has seconds from 1970 to 2106, as 32 bits without a sign. */
const seconds: TimeColumn = {
  milliseconds: "toInt64(toUInt32(`timestamp`)) * 1000",
  since: (time) => `\`timestamp\` >= ${secondsLiteral(time)}`,
  before: (time) => `\`timestamp\` < ${secondsLiteral(time)}`,
};

const milliseconds: TimeColumn = {
  milliseconds: "toUnixTimestamp64Milli(`timestamp`)",
  since: (time) => `\`timestamp\` >= ${millisecondsLiteral(time)}`,
  before: (time) => `\`timestamp\` < ${millisecondsLiteral(time)}`,
};

/** @returns undefined if the type is not one of a time */
export function timeColumnOf(type: string): TimeColumn | undefined {
  if (/^DateTime(?:\('[^']*'\))?$/.test(type)) return seconds;
  return /^DateTime64\(\d(?:, '[^']*')?\)$/.test(type) ? milliseconds : undefined;
}

function secondsLiteral(time: number): string {
  return `toDateTime(${clamp(Math.ceil(time / 1000), 0, 0xffff_ffff)})`;
}

/** A DateTime64 has years from 1900 to 2299, and with nine digits only from 1677 to 2262. */
function millisecondsLiteral(time: number): string {
  const min = Date.UTC(1900, 0);
  const max = Date.UTC(2262, 0);
  return `fromUnixTimestamp64Milli(toInt64(${clamp(Math.ceil(time), min, max)}))`;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
