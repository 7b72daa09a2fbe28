import { FieldColumns, payloadColumnNames } from "../../event/field-columns.ts";
import {
  compileQuery,
  type EventPredicate,
  isUnfiltered,
  readsColumns,
  readsSearchText,
} from "../../query/match-event.ts";
import type { Query } from "../../query/query.ts";
import type { SampledEvent } from "../sampling/sampled-event.ts";
import type { PayloadColumns } from "./payload-columns.ts";
import type { SearchTexts } from "./search-texts.ts";

/** What a filter reads besides the fields of an event. */
export interface FilterSources {
  readonly searchTexts: Pick<SearchTexts, "of">;
  readonly payloadColumns: Pick<PayloadColumns, "of">;
}

/** The query of a viewer of the live tail, compiled. */
export class EventFilter {
  /** Every event matches. */
  readonly isUnfiltered: boolean;
  /** The document of an event may have to be parsed, which may be large. */
  readonly readsDocuments: boolean;
  readonly #isMatch: EventPredicate;

  constructor(query: Query) {
    this.isUnfiltered = isUnfiltered(query);
    this.readsDocuments = readsSearchText(query) || readsColumns(query, payloadColumnNames);
    this.#isMatch = compileQuery(query);
  }

  matches(event: SampledEvent, { searchTexts, payloadColumns }: FilterSources): boolean {
    if (this.isUnfiltered) return true;
    const { receivedAt, sensorId, fields } = event;
    const values = new FieldColumns(sensorId, fields, () => payloadColumns.of(event));
    return this.#isMatch(receivedAt, values, () => searchTexts.of(event));
  }
}
