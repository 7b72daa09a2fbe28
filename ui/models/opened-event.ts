import { signal } from "@preact/signals";
import type { HistoryEventAnswer } from "../../server/management/api/answers.ts";
import { type ApiClient, ApiError } from "./api-client.ts";
import { type FoundEvent, foundEvent } from "./found-event.ts";

/** The stored event that is open, which the address of the page names. */
export class OpenedEvent {
  readonly event = signal<FoundEvent | undefined>(undefined);
  readonly problem = signal<ApiError | undefined>(undefined);
  readonly #api: Pick<ApiClient, "getJson">;
  #running: AbortController | undefined;

  constructor(api: Pick<ApiClient, "getJson">) {
    this.#api = api;
  }

  /** @param id undefined: none is open. @param rows the events that are listed, which need no request */
  async show(id: string | undefined, rows: readonly FoundEvent[]): Promise<void> {
    this.#running?.abort();
    this.problem.value = undefined;
    if (id === this.event.peek()?.id) return;
    this.event.value = rows.find((row) => row.id === id);
    if (id === undefined || this.event.peek()) return;
    const running = new AbortController();
    this.#running = running;
    try {
      const path = `/api/v1/history/events/${encodeURIComponent(id)}`;
      const answer = await this.#api.getJson<HistoryEventAnswer>(path, running.signal);
      if (!running.signal.aborted) this.event.value = foundEvent(answer);
    } catch (error) {
      if (running.signal.aborted) return;
      this.problem.value = error instanceof ApiError ? error : new ApiError(0, "", String(error));
    }
  }
}
