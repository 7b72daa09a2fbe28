import { batch, computed, signal } from "@preact/signals";
import type {
  HistoryCompleteness,
  HistoryCountAnswer,
  HistoryEventsAnswer,
  HistoryHistogramAnswer,
  HistoryTopAnswer,
} from "../../server/management/api/answers.ts";
import { type ApiClient, ApiError } from "./api-client.ts";
import { type FoundEvent, foundEvent } from "./found-event.ts";

/** The columns whose most frequent values are listed beside the events, in this order. */
export const facetColumns = ["ip", "port", "country", "asn", "sensor", "path", "user", "password"] as const;
export type FacetColumn = (typeof facetColumns)[number];

const pageSize = 100;
export const maxFacetValues = 8;
/** The page holds this many events, and documents of this many characters. Older ones need a narrower query or an export. */
export const maxFoundEvents = 2_000;
const maxCharacters = 32 * 1024 * 1024;
const path = "/api/v1/history";

/** A search in the stored events: the newest first, a page after the other, with their number, histogram and top values. */
export class Search {
  readonly rows = signal<readonly FoundEvent[]>([]);
  /** How far back the rows reach; undefined before the first answer. */
  readonly completeness = signal<HistoryCompleteness | undefined>(undefined);
  readonly count = signal<HistoryCountAnswer | undefined>(undefined);
  readonly histogram = signal<HistoryHistogramAnswer | undefined>(undefined);
  readonly facets = signal<Readonly<Partial<Record<FacetColumn, HistoryTopAnswer>>>>({});
  /** Why there are no rows. */
  readonly problem = signal<ApiError | undefined>(undefined);
  /** Why the count, the histogram, the top values or older rows are missing. */
  readonly partProblem = signal<ApiError | undefined>(undefined);
  readonly isLoading = signal(false);
  readonly hasOlder = computed(() => this.#cursor.value !== null);
  readonly isFull = computed(() => isFull(this.rows.value));
  readonly #cursor = signal<string | null>(null);
  readonly #api: Pick<ApiClient, "getJson">;
  #query = "";
  #running: AbortController | undefined;

  constructor(api: Pick<ApiClient, "getJson">) {
    this.#api = api;
  }

  /**
   * Searches with another query, or again. What was found before stays until the answer.
   * @param query with its times
   */
  async search(query: string): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#query = query;
    this.isLoading.value = true;
    const { signal: aborted } = running;
    await this.#load(
      aborted,
      "problem",
      "events",
      { limit: String(pageSize) },
      (page: HistoryEventsAnswer) => {
        this.rows.value = page.events.map(foundEvent);
        this.#take(page);
        this.count.value = undefined;
        this.histogram.value = undefined;
        this.facets.value = {};
        this.problem.value = undefined;
        this.partProblem.value = undefined;
      },
    );
    if (aborted.aborted) return;
    this.isLoading.value = false;
    if (!this.problem.peek()) await this.#loadRest(aborted);
  }

  /** Adds the next page of older events. */
  async loadOlder(): Promise<void> {
    const cursor = this.#cursor.peek();
    const aborted = this.#running?.signal;
    if (cursor === null || !aborted || this.isLoading.peek() || this.isFull.peek()) return;
    this.isLoading.value = true;
    this.partProblem.value = undefined;
    const params = { limit: String(pageSize), cursor };
    await this.#load(aborted, "partProblem", "events", params, (page: HistoryEventsAnswer) => {
      this.rows.value = [...this.rows.peek(), ...page.events.map(foundEvent)];
      this.#take(page);
    });
    if (!aborted.aborted) this.isLoading.value = false;
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  #take(page: HistoryEventsAnswer): void {
    this.#cursor.value = page.cursor;
    this.completeness.value = page;
  }

  /** The top values one after the other: Loom refuses queries when many wait, and another page may search too. */
  async #loadRest(aborted: AbortSignal): Promise<void> {
    await Promise.all([
      this.#load(aborted, "partProblem", "count", {}, (answer: HistoryCountAnswer) => {
        this.count.value = answer;
      }),
      this.#load(aborted, "partProblem", "histogram", {}, (answer: HistoryHistogramAnswer) => {
        this.histogram.value = answer;
      }),
    ]);
    for (const column of facetColumns) {
      if (aborted.aborted) return;
      const params = { by: column, limit: String(maxFacetValues) };
      await this.#load(aborted, "partProblem", "top", params, (answer: HistoryTopAnswer) => {
        this.facets.value = { ...this.facets.peek(), [column]: answer };
      });
    }
  }

  /** Loads one answer. An answer to a search that is over is ignored. */
  async #load<Answer>(
    aborted: AbortSignal,
    problem: "problem" | "partProblem",
    resource: string,
    params: Readonly<Record<string, string>>,
    take: (answer: Answer) => void,
  ): Promise<void> {
    try {
      const address = `${path}/${resource}?${new URLSearchParams({ q: this.#query, ...params })}`;
      const answer = await this.#api.getJson<Answer>(address, aborted);
      if (aborted.aborted) return;
      batch(() => take(answer));
    } catch (error) {
      if (aborted.aborted) return;
      this[problem].value = error instanceof ApiError ? error : new ApiError(0, "", String(error));
    }
  }
}

/** The address of an export of all events that match. */
export function exportLink(query: string, format: "ndjson" | "csv"): string {
  return `${path}/export?${new URLSearchParams({ q: query, format })}`;
}

function isFull(rows: readonly FoundEvent[]): boolean {
  return rows.length >= maxFoundEvents || rows.reduce((sum, { raw }) => sum + raw.length, 0) >= maxCharacters;
}
