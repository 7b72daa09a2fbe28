import { useLocation } from "preact-iso";
import type { HistoryTopAnswer } from "../../server/management/api/answers.ts";
import { formatShortCount, formatThings } from "../format/numbers.ts";
import { printable } from "../format/printable.ts";
import type { FacetColumn } from "../models/search.ts";
import { hasValue, type SearchAddress, searchLink, toggleValue } from "../models/search-query.ts";
import { CutText } from "./cut-text.tsx";

const titles: Readonly<Record<FacetColumn, string>> = {
  ip: "Addresses",
  port: "Ports",
  country: "Countries",
  asn: "Networks",
  sensor: "Sensors",
  path: "Paths",
  user: "Users",
  password: "Passwords",
};

export interface FacetListProps {
  readonly column: FacetColumn;
  readonly answer: HistoryTopAnswer;
  readonly address: SearchAddress;
}

/** The most frequent values of a column: a click searches for one, an alt-click or its minus excludes it. */
export function FacetList({ column, answer, address }: FacetListProps) {
  const { values, others, without, isComplete } = answer;
  if (values.length === 0) return null;
  const total = values.reduce((sum, { events }) => sum + events, others);
  return (
    <section class="top-list facet">
      <h3>{titles[column]}</h3>
      <ol>
        {values.map(({ value, events }) => (
          <FacetValue
            key={value}
            column={column}
            value={value}
            events={events}
            share={events / Math.max(1, total)}
            address={address}
          />
        ))}
      </ol>
      <p class="muted">
        {others > 0 && `other values: ${formatShortCount(others)}`}
        {others > 0 && without > 0 && " · "}
        {without > 0 && `no value: ${formatShortCount(without)}`}
        {!isComplete && " (a part of the events)"}
      </p>
    </section>
  );
}

interface FacetValueProps extends Pick<FacetListProps, "column" | "address"> {
  readonly value: string | number;
  readonly events: number;
  readonly share: number;
}

function FacetValue({ column, value, events, share, address }: FacetValueProps) {
  const { route } = useLocation();
  const linkOf = (isExcluded: boolean) =>
    searchLink({ range: address.range, text: toggleValue(address.text, column, value, isExcluded) });
  const isChosen = hasValue(address.text, column, value, false);
  const text = textOf(column, value);
  const name = `${printable(text).slice(0, 80)}: ${formatThings(events, "event")}`;
  return (
    <li>
      <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
        <path d={`M0 .5h${(share * 100).toFixed(2)}`} />
      </svg>
      <a
        href={linkOf(false)}
        aria-current={isChosen ? "true" : undefined}
        title={isChosen ? "Remove this term from the query" : "Only these events; alt-click excludes them"}
        onClick={(event) => {
          // The browser would download the link.
          if (!event.altKey) return;
          event.preventDefault();
          route(linkOf(true));
        }}
      >
        <CutText text={text} />
      </a>
      <span class="number">{formatShortCount(events)}</span>
      <a class="exclude" href={linkOf(true)} aria-label={`Exclude ${name}`} title="Exclude these events">
        −
      </a>
    </li>
  );
}

function textOf(column: FacetColumn, value: string | number): string {
  if (value === "") return '""';
  return column === "asn" ? `AS${value}` : String(value);
}
