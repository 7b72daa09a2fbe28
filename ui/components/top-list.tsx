import type { TopList as TopListAnswer } from "../../server/management/api/answers.ts";
import { formatCount } from "../format/numbers.ts";
import { CutText } from "./cut-text.tsx";

export interface TopListProps {
  readonly title: string;
  readonly list: TopListAnswer;
  /** The tail filtered by one entry; undefined: there is no such filter. */
  readonly hrefOf?: (key: string) => string;
  /** Stands before each key: "AS". */
  readonly prefix?: string;
  readonly maxEntries?: number;
}

/** What was most frequent, with its share of all as a bar; what is not listed is counted below. */
export function TopList({ title, list, hrefOf, prefix = "", maxEntries = 10 }: TopListProps) {
  const shown = list.entries.slice(0, maxEntries);
  const listed = list.entries.reduce((sum, { count }) => sum + count, 0);
  const total = listed + list.other;
  const other = total - shown.reduce((sum, { count }) => sum + count, 0);
  return (
    <section class="top-list">
      <h3>{title}</h3>
      {shown.length === 0 && <p class="muted">none yet</p>}
      <ol>
        {shown.map(({ key, label, count }) => (
          <li key={key}>
            <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
              <path d={`M0 .5h${((count / Math.max(1, total)) * 100).toFixed(2)}`} />
            </svg>
            {hrefOf ? (
              <a href={hrefOf(key)} title="show in the live tail">
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
        {other > 0 && `others ${formatCount(other)}`}
        {other > 0 && list.none > 0 && " · "}
        {list.none > 0 && `without one ${formatCount(list.none)}`}
      </p>
    </section>
  );
}

function entryText(key: string, label: string | null): string {
  return label === null || label === "" ? key : `${key} ${label}`;
}
