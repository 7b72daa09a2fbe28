import { formatCount, formatThings } from "../format/numbers.ts";
import { formatExact } from "../format/times.ts";
import { tailLink } from "../models/links.ts";
import { exportLink, type Search } from "../models/search.ts";
import { withoutTimes } from "../models/search-query.ts";

export interface SearchStatusProps {
  readonly search: Search;
  /** The query with its times. */
  readonly query: string;
}

/** How many events there are, what is missing of them, and what can be done with them. */
export function SearchStatus({ search, query }: SearchStatusProps) {
  const { completeness, partProblem } = search;
  const { isComplete = true, searchedBackTo = null, damagedEvents = 0 } = completeness.value ?? {};
  return (
    <>
      <div class="toolbar">
        <p class="counts" role="status">
          <Counts search={search} />
        </p>
        <button type="button" class="quiet-button" onClick={() => void search.search(query)}>
          Search again
        </button>
        <span class="toolbar-links">
          Export{" "}
          <a href={exportLink(query, "ndjson")} download>
            NDJSON
          </a>{" "}
          <a href={exportLink(query, "csv")} download>
            CSV
          </a>
        </span>
        <a href={tailLink(withoutTimes(query))}>Live tail</a>
      </div>
      {!isComplete && searchedBackTo !== null && (
        <p class="attention" role="status">
          Searched back to {formatExact(searchedBackTo)}, because a search ends after some seconds. “Older
          events” continues there.
        </p>
      )}
      {damagedEvents > 0 && (
        <p class="attention">
          {formatThings(damagedEvents, "event")} cannot be searched, because that part of the history is
          damaged.
        </p>
      )}
      {partProblem.value && (
        <p class="attention" role="alert">
          Not everything could be loaded: {partProblem.value.message}.
        </p>
      )}
    </>
  );
}

function Counts({ search: { rows, count, isLoading } }: { search: Search }) {
  const { value: counted } = count;
  const shown = rows.value.length;
  if (isLoading.value) return <>Searching…</>;
  if (!counted) return <>{formatThings(shown, "event")} shown</>;
  return (
    <>
      {!counted.isComplete && "at least "}
      <b data-count="found">{formatCount(counted.events)}</b> {counted.events === 1 ? "event" : "events"}
      {!counted.isComplete &&
        counted.searchedBackTo !== null &&
        `, counted back to ${formatExact(counted.searchedBackTo)}`}
      , <b data-count="shown">{formatCount(shown)}</b> shown
    </>
  );
}
