import { signal } from "@preact/signals";
import type {
  DeadLetterAnswer,
  DeadLettersAnswer,
  RetryAnswer,
} from "../../server/management/api/answers.ts";
import { formatThings } from "../format/numbers.ts";
import type { ApiClient } from "./api-client.ts";
import { Polled, type PolledOptions } from "./polled.ts";

export interface DeadLettersOptions extends PolledOptions {
  readonly api: Pick<ApiClient, "getJson" | "postJson">;
}

/** The dead letters of one output, a page of them at a time, the oldest first. */
export class DeadLetters {
  readonly page: Polled<DeadLettersAnswer>;
  /** The dead letter that is shown in full. */
  readonly opened = signal<DeadLetterAnswer | undefined>(undefined);
  /** The outcome of the last action as a sentence, or "". */
  readonly outcome = signal("");
  /** For each page after the first up to the current one, the sequence number that its records follow. */
  readonly after = signal<readonly number[]>([]);
  readonly #path: string;
  readonly #api: DeadLettersOptions["api"];

  constructor(output: string, options: DeadLettersOptions) {
    this.#path = `/api/v1/outputs/${encodeURIComponent(output)}/dead-letters`;
    this.#api = options.api;
    this.page = new Polled(this.#path, options);
  }

  /** Shows the page before, which has older records. */
  showOlder(): void {
    this.#show(this.after.peek().slice(0, -1));
  }

  /** Shows the page after `sequence`, which has newer records. */
  showNewer(sequence: number): void {
    this.#show([...this.after.peek(), sequence]);
  }

  async open(sequence: number): Promise<void> {
    await this.#report(async () => {
      this.opened.value = await this.#api.getJson<DeadLetterAnswer>(`${this.#path}/${sequence}`);
      return "";
    });
  }

  close(): void {
    this.opened.value = undefined;
  }

  /** Asks Loom to retry dead letters. */
  async retry(which: { readonly all: true } | { readonly sequences: readonly number[] }): Promise<void> {
    await this.#report(async () => {
      const { requested } = await this.#api.postJson<RetryAnswer>(`${this.#path}/retry`, which);
      return `${formatThings(requested, "event")} will be retried in a few seconds.`;
    });
  }

  #show(after: readonly number[]): void {
    this.after.value = after;
    const at = after.at(-1);
    this.page.setPath(at === undefined ? this.#path : `${this.#path}?after=${at}`);
  }

  async #report(action: () => Promise<string>): Promise<void> {
    this.outcome.value = await action().catch(
      (error: unknown) => `Failed: ${error instanceof Error ? error.message : error}.`,
    );
    void this.page.refresh();
  }
}
