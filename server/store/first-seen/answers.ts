import type { ColumnName } from "../../event/columns.ts";

/*
 * What first-seen.ts knows and answers.
 */

export const firstSeenColumns = [
  "ip",
  "port",
  "path",
  "user_agent",
  "ja4",
  "ja4h",
  "hassh",
  "payload",
] as const satisfies readonly ColumnName[];
export type FirstSeenColumn = (typeof firstSeenColumns)[number];

export interface FirstSeenLimits {
  /** The number of values of each column; default 2,000,000 addresses, and 250,000 of each other column. */
  readonly maxValues?: Partial<Readonly<Record<FirstSeenColumn, number>>>;
  /** How many values of each column that were first seen lately have their text; default 50,000. */
  readonly maxFreshValues?: number;
  /** How long they have it; default 30. */
  readonly freshDays?: number;
}

/** What every answer says about its limits. */
export interface FirstSeenCoverage {
  /** Milliseconds since the epoch: earlier events were not noted. */
  readonly recordsSince: number;
  /** How many values of this column were removed because of its bound; they seem to be new when they come again. */
  readonly evictedValues: number;
  /** None of them was seen at or after this time, in milliseconds since the epoch; undefined: none was removed. */
  readonly evictedBefore: number | undefined;
}

export interface FirstSeenAnswer extends FirstSeenCoverage {
  /** Milliseconds since the epoch, a whole second; undefined: the value was not seen since `recordsSince`, or was removed. */
  readonly firstSeenAt: number | undefined;
}

export interface NewValue {
  /** As event/columns.ts gives it: an address is a key (address-key.ts). */
  readonly value: string | number;
  readonly firstSeenAt: number;
}

export interface NewValuesAnswer extends FirstSeenCoverage {
  /** The newest first. */
  readonly values: readonly NewValue[];
  /** Whether there are more of them than the limit. */
  readonly hasMore: boolean;
  /** Milliseconds since the epoch: values that were first seen earlier are not listed; at least `since`. */
  readonly listedSince: number;
}
