/** What the writer tells its client: a line of the log. */
export interface StoreNote {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

export type StoreNotes = (level: StoreNote["level"], message: string, fields: StoreNote["fields"]) => void;
