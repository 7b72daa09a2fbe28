/** Where a store is, and its limits, as they are configured. */
export interface StoreLocation {
  readonly dir: string;
  /** undefined: it depends on the disk. */
  readonly maxBytes: number | undefined;
  readonly maxDays: number;
}
