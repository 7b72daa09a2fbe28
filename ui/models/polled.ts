import { signal } from "@preact/signals";
import { ApiError, getJson } from "./api-client.ts";

/**
 * One answer of the API, asked for again and again while somebody looks: `start` when a page shows it, `stop` when it
 * is gone. A hidden page asks nothing and catches up when it is seen again.
 */
export class Polled<Answer> {
  /** The last answer, also while a later question fails. */
  readonly answer = signal<Answer | undefined>(undefined);
  /** Why the last question failed; undefined: it did not. */
  readonly problem = signal<ApiError | undefined>(undefined);
  readonly answeredAt = signal<number | undefined>(undefined);
  #path: string;
  readonly #intervalMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;

  constructor(path: string, intervalMs: number) {
    this.#path = path;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    document.addEventListener("visibilitychange", this.#look);
    void this.refresh();
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.#look);
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = undefined;
  }

  /** Another question in its place; what was answered to the old one stays until the new answer is there. */
  ask(path: string): void {
    if (path === this.#path) return;
    this.#path = path;
    void this.refresh();
  }

  /** Asks now, whatever is under way. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const answer = await getJson<Answer>(this.#path, asking.signal);
      if (this.#asking !== asking) return;
      this.answer.value = answer;
      this.answeredAt.value = Date.now();
      this.problem.value = undefined;
    } catch (error) {
      if (this.#asking !== asking) return;
      this.problem.value = error instanceof ApiError ? error : new ApiError(0, "", String(error));
    }
    if (!document.hidden) this.#timer = setTimeout(() => void this.refresh(), this.#intervalMs);
  }

  readonly #look = (): void => {
    if (document.hidden) clearTimeout(this.#timer);
    else void this.refresh();
  };
}
