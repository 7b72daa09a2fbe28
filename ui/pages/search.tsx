import { useMemo, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import { useApp } from "../components/app-context.ts";
import { PageHead } from "../components/page-head.tsx";
import { QueryLine } from "../components/query-line.tsx";
import { SearchView } from "../components/search-view.tsx";
import type { SuggestionOptions } from "../models/query-completion.ts";
import { facetColumns, Search } from "../models/search.ts";
import {
  hasTimes,
  parseSearchQuery,
  ranges,
  type SearchAddress,
  searchedQuery,
  searchLink,
  searchOfAddress,
  withCustomTimes,
  withoutTimes,
} from "../models/search-query.ts";
import { pageTitle } from "../page-list.ts";

/** Stored events by query. The query, the range and the open event are in the page's address. */
export function SearchPage() {
  const { api } = useApp();
  const { query: parameters, route } = useLocation();
  const address = searchOfAddress(parameters);
  const { text, range } = address;
  const search = useMemo(() => new Search(api), [api]);
  const parsed = parseSearchQuery(text);
  // While the query is incomplete, the last valid one stays in use.
  const applied = useRef<string | undefined>(undefined);
  if (parsed.kind === "accepted") applied.current = text;
  // What is typed in one go is one entry of the browser's history.
  const typed = useRef<string | undefined>(undefined);
  const type = (changed: string) => {
    if (changed === text) return;
    route(searchLink({ range, text: changed }), typed.current === text);
    typed.current = changed;
  };
  return (
    <>
      <PageHead title={pageTitle("search")}>
        <Ranges address={address} />
      </PageHead>
      <QueryLine
        text={text}
        error={parsed.kind === "refused" ? parsed.refusal : undefined}
        onText={type}
        onEnter={() => {
          typed.current = undefined;
        }}
        completion={completionFrom(search)}
      />
      <SearchView
        search={search}
        address={address}
        query={applied.current === undefined ? undefined : searchedQuery({ text: applied.current, range })}
      />
    </>
  );
}

/** Names of fields, and the values that are listed beside the events. */
function completionFrom(search: Search): SuggestionOptions {
  return {
    hasPast: true,
    valuesOf(column) {
      const known = facetColumns.find((name) => name === column);
      return (known && search.facets.peek()[known]?.values.map(({ value }) => value)) ?? [];
    },
  };
}

function Ranges({ address: { text, range } }: { address: SearchAddress }) {
  const isCustom = hasTimes(text);
  return (
    <nav class="choices" aria-label="Period">
      {ranges.map(({ value, name }) => (
        <a
          key={value}
          href={searchLink({ text: withoutTimes(text), range: value })}
          aria-current={value === range && !isCustom ? "true" : undefined}
        >
          {name}
        </a>
      ))}
      <a
        href={searchLink({ range, text: isCustom ? text : withCustomTimes(text, range, Date.now()) })}
        aria-current={isCustom ? "true" : undefined}
        title="Times in the query: since:2026-11-20T10:00 until:2026-11-20T11:00 (UTC)"
      >
        Custom
      </a>
    </nav>
  );
}
