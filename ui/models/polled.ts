import { effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import { type ApiClient, ApiError } from "./api-client.ts";

export interface PolledOptions {
  readonly api: Pick<ApiClient, "getJson">;
  /** From one answer to the next request. */
  readonly intervalMs: number;
  /** While the page is hidden, nothing is requested. When it becomes visible, a request is sent immediately. */
  readonly isHidden: ReadonlySignal<boolean>;
}

/** One answer of the API, requested again and again between `start` and `stop`. */
export class Polled<Answer> {
  /** The last answer, also while later requests fail. */
  readonly answer = signal<Answer | undefined>(undefined);
  /** Why the last request failed; undefined if it succeeded. */
  readonly problem = signal<ApiError | undefined>(undefined);
  readonly answeredAt = signal<number | undefined>(undefined);
  readonly #options: PolledOptions;
  #path: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The request in flight; undefined before `start` and after `stop`. */
  #request: AbortController | undefined;
  #unwatch: (() => void) | undefined;

  constructor(path: string, options: PolledOptions) {
    this.#path = path;
    this.#options = options;
  }

  start(): void {
    let isFirst = true;
    this.#unwatch = effect(() => {
      const isHidden = this.#options.isHidden.value;
      // A page that is opened in a hidden tab loads once, so that it is there when the tab is shown.
      if (isHidden && !isFirst) clearTimeout(this.#timer);
      else untracked(() => void this.refresh());
      isFirst = false;
    });
  }

  stop(): void {
    this.#unwatch?.();
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = undefined;
  }

  /** Changes the path. The answer of the old path stays until the new one is answered. */
  setPath(path: string): void {
    if (path === this.#path) return;
    this.#path = path;
    void this.refresh();
  }

  /** Requests now; a request in flight is aborted. */
  async refresh(): Promise<void> {
    const { api, intervalMs, isHidden } = this.#options;
    clearTimeout(this.#timer);
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    try {
      const answer = await api.getJson<Answer>(this.#path, request.signal);
      if (this.#request !== request) return;
      this.answer.value = answer;
      this.answeredAt.value = Date.now();
      this.problem.value = undefined;
    } catch (error) {
      if (this.#request !== request) return;
      this.problem.value = error instanceof ApiError ? error : new ApiError(0, "", String(error));
    }
    if (!isHidden.peek()) this.#timer = setTimeout(() => void this.refresh(), intervalMs);
  }
}
