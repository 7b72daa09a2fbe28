export type AttackWindow = "5m" | "1h" | "24h" | "7d" | "30d";

export interface TopList {
  /** The most frequent value first. `key` is the value as the tail's filter accepts it, `label` its name. */
  readonly entries: readonly {
    readonly key: string;
    readonly label: string | null;
    readonly count: number;
  }[];
  /** The number of events with other values. */
  readonly other: number;
  /** The number of events without a value. */
  readonly none: number;
}
