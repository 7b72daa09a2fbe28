import { useEffect, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { formatCount } from "../format/numbers.ts";
import { facetColumns, maxFoundEvents, type Search } from "../models/search.ts";
import { type SearchAddress, searchLink, withTimes } from "../models/search-query.ts";
import { FacetList } from "./facet-list.tsx";
import { FoundTable } from "./found-table.tsx";
import { Histogram } from "./histogram.tsx";
import { OpenedFound } from "./opened-found.tsx";
import { SearchProblem } from "./search-problem.tsx";
import { SearchStatus } from "./search-status.tsx";
import { useEventAddress } from "./use-event-address.ts";

export interface SearchViewProps {
  readonly search: Search;
  readonly address: SearchAddress;
  /** The query with its times; undefined: there has been no valid one. */
  readonly query: string | undefined;
}

/** What a search found: a histogram, the most frequent values, and the events, the newest first. */
export function SearchView({ search, address, query }: SearchViewProps) {
  const { route } = useLocation();
  useEffect(() => {
    if (query !== undefined) void search.search(query);
  }, [search, query]);
  useEffect(() => () => search.stop(), [search]);
  const events = useEventAddress(address);
  if (query === undefined) return <p class="placeholder">Nothing is searched until the query is right.</p>;
  const problem = search.problem.value;
  if (problem) return <SearchProblem problem={problem} onRetry={() => void search.search(query)} />;
  if (!search.completeness.value)
    return (
      <p class="placeholder" role="status">
        Loading the events…
      </p>
    );
  const histogram = search.histogram.value;
  return (
    <div class="search">
      <SearchStatus search={search} query={query} />
      {histogram ? (
        <Histogram
          histogram={histogram}
          onZoom={(from, to) =>
            route(searchLink({ range: address.range, text: withTimes(address.text, from, to) }))
          }
        />
      ) : (
        <div class="histogram" />
      )}
      <div class="search-body">
        <Facets search={search} address={address} />
        <div class="search-rows">
          <FoundTable rows={search.rows.value} open={events.open} />
          <End search={search} />
        </div>
      </div>
      <OpenedFound search={search} address={address} events={events} />
    </div>
  );
}

function Facets({ search, address }: Omit<SearchViewProps, "query">) {
  // On a narrow screen they would hide the events.
  const [isWide] = useState(() => matchMedia("(min-width: 1081px)").matches);
  const facets = search.facets.value;
  return (
    <details class="facets" open={isWide}>
      <summary>Most frequent values</summary>
      <div>
        {facetColumns.map((column) => {
          const answer = facets[column];
          return answer && <FacetList key={column} column={column} answer={answer} address={address} />;
        })}
      </div>
    </details>
  );
}

/** What follows the last row. */
function End({ search }: { search: Search }) {
  if (search.hasOlder.value && search.isFull.value)
    return (
      <p class="muted">
        The page shows at most {formatCount(maxFoundEvents)} events. A shorter period or another term leads to
        older ones, and an export has all.
      </p>
    );
  if (search.hasOlder.value)
    return (
      <button type="button" disabled={search.isLoading.value} onClick={() => void search.loadOlder()}>
        Older events
      </button>
    );
  if (search.rows.value.length > 0) return <p class="muted">There are no older events that match.</p>;
  return (
    <p class="placeholder" role="status">
      No events match in this period.
    </p>
  );
}
