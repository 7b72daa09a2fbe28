import type { TopList as TopListAnswer } from "../../server/management/api/answers.ts";
import { formatCount } from "../format/numbers.ts";
import { CutText } from "./cut-text.tsx";

export interface TopListProps {
  readonly title: string;
  readonly list: TopListAnswer;
  /** The address of the live tail filtered by an entry; undefined if there is no such filter. */
  readonly hrefOf?: (key: string) => string;
  /** Written before each key: "AS". */
  readonly prefix?: string;
  readonly maxEntries?: number;
}

/** The most frequent values, each with its share as a bar. The events that are not listed are counted below. */
export function TopList({ title, list, hrefOf, prefix = "", maxEntries = 10 }: TopListProps) {
  const shown = list.entries.slice(0, maxEntries);
  const listed = list.entries.reduce((sum, { count }) => sum + count, 0);
  const total = listed + list.other;
  const other = total - shown.reduce((sum, { count }) => sum + count, 0);
  return (
    <section class="top-list">
      <h3>{title}</h3>
      {shown.length === 0 && <p class="muted">No values yet.</p>}
      <ol>
        {shown.map(({ key, label, count }) => (
          <li key={key}>
            <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
              <path d={`M0 .5h${((count / Math.max(1, total)) * 100).toFixed(2)}`} />
            </svg>
            {hrefOf ? (
              <a href={hrefOf(key)} title="Show these events in the live tail">
                <CutText text={entryText(prefix + key, label)} />
              </a>
            ) : (
              <CutText text={entryText(prefix + key, label)} />
            )}
            <span class="number">{formatCount(count)}</span>
          </li>
        ))}
      </ol>
      <p class="muted">
        {other > 0 && `other values: ${formatCount(other)}`}
        {other > 0 && list.none > 0 && " · "}
        {list.none > 0 && `no value: ${formatCount(list.none)}`}
      </p>
    </section>
  );
}

function entryText(key: string, label: string | null): string {
  return label === null || label === "" ? key : `${key} ${label}`;
}
