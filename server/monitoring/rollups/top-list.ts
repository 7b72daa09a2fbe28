export type AttackWindow = "5m" | "1h" | "24h";

export interface TopList {
  /** The most frequent first; `key` is the field's value as the tail's filter takes it, `label` a name beside it. */
  readonly entries: readonly {
    readonly key: string;
    readonly label: string | null;
    readonly count: number;
  }[];
  /** Events with other values. */
  readonly other: number;
  /** Events without a value. */
  readonly none: number;
}
