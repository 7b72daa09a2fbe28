/** Why a value of a query is wrong. */
export interface ValueRefusal {
  readonly message: string;
  /** What the value could be replaced with. */
  readonly suggestion?: string;
}
