import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { type EventFilter, filterParams } from "../../server/monitoring/tail/event-filter.ts";
import { formatCount } from "../format/numbers.ts";
import { formatClock } from "../format/times.ts";
import { serverAheadMs } from "../models/api-client.ts";
import { type EventRow, type ShownCounts, Tail, type TailRow } from "../models/tail.ts";
import { summaryOf } from "../models/tail-document.ts";
import { CutText } from "./cut-text.tsx";
import { EventDrawer } from "./event-drawer.tsx";
import { ScrollBox } from "./scroll-box.tsx";
import { StateMark } from "./state-mark.tsx";
import { Until } from "./times.tsx";
import { useKeys } from "./use-keys.ts";

/** Events as they come, the newest first; how many of them are not seen here; one of them whole beside it. */
export function TailView({ filter, isCompact = false }: { filter: EventFilter; isCompact?: boolean }) {
  const tail = useMemo(() => new Tail(), []);
  const opened = useSignal<EventRow | undefined>(undefined);
  const query = filterParams(filter).toString();
  // Two filters with one query are the same.
  useEffect(() => tail.watch(filter), [tail, query]);
  useEffect(() => () => tail.stop(), [tail]);
  const move = (steps: number) => {
    const events = tail.rows.value.filter((row) => row.kind === "event");
    const at = events.findIndex(({ key }) => key === opened.value?.key);
    opened.value = events[Math.max(0, at + steps)] ?? opened.value;
  };
  useKeys([
    { key: "p", says: "pause the tail, or go on", run: () => tail.togglePause() },
    { key: "j", says: "open the next event down", run: () => move(1) },
    { key: "k", says: "open the next event up", run: () => move(-1) },
  ]);

  return (
    <div class="tail">
      <div class="toolbar">
        <button type="button" aria-pressed={tail.isPaused} onClick={() => tail.togglePause()}>
          {tail.isPaused.value ? "Go on" : "Pause"} <kbd>p</kbd>
        </button>
        <Connection tail={tail} />
        <Counts counts={tail.counts.value} isPaused={tail.isPaused.value} />
      </div>
      {tail.latestGap.value && (
        <p class="gap-note" role="status">
          {tail.latestGap}{" "}
          <button
            type="button"
            class="quiet-button"
            aria-label="Take this note away"
            onClick={() => {
              tail.latestGap.value = undefined;
            }}
          >
            ×
          </button>
        </p>
      )}
      <ScrollBox label="Events, as a table">
        <table class={isCompact ? "events compact" : "events"}>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {!isCompact && <th scope="col">Sensor</th>}
              <th scope="col">Source</th>
              <th scope="col">From</th>
              <th scope="col">Network</th>
              <th scope="col" class="number">
                Port
              </th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {tail.rows.value.map((row) =>
              drawnRow(row, isCompact, (event) => {
                opened.value = event;
              }),
            )}
          </tbody>
        </table>
      </ScrollBox>
      {tail.rows.value.length === 0 && (
        <p class="placeholder" role="status">
          {tail.connection.value.state === "open"
            ? "No event yet. It shows up here as soon as it is kept."
            : "Connecting…"}
        </p>
      )}
      {opened.value && (
        <EventDrawer
          key={opened.value.key}
          row={opened.value}
          onClose={() => {
            opened.value = undefined;
          }}
        />
      )}
    </div>
  );
}

/** A row never changes, so it is drawn once. */
const drawn = new WeakMap<TailRow, VNode>();

function drawnRow(row: TailRow, isCompact: boolean, open: (row: EventRow) => void): VNode {
  let node = drawn.get(row);
  if (!node) {
    node = row.kind === "gap" ? gapRow(row.key, row.text) : eventRow(row, isCompact, open);
    drawn.set(row, node);
  }
  return node;
}

function gapRow(key: string, text: string): VNode {
  return (
    <tr key={key} class="gap">
      <td colSpan={7}>{text}</td>
    </tr>
  );
}

function eventRow(row: EventRow, isCompact: boolean, open: (row: EventRow) => void): VNode {
  const { fields } = row;
  const place = [fields.countryIsoCode, fields.cityName].filter(Boolean).join(" ");
  const network = [fields.asNumber === undefined ? "" : `AS${fields.asNumber}`, fields.asOrganizationName]
    .filter(Boolean)
    .join(" ");
  return (
    <tr key={row.key} onClick={() => open(row)}>
      <td class="time">
        <button type="button" class="link-button" onClick={() => open(row)}>
          {formatClock(row.receivedAt)}
        </button>
      </td>
      {!isCompact && (
        <td>
          <CutText text={row.sensorId} />
        </td>
      )}
      <td class="mono">
        <CutText text={fields.address ?? ""} />
      </td>
      <td>
        <CutText text={place} />
      </td>
      <td>
        <CutText text={network} />
      </td>
      <td class="number">{fields.port}</td>
      <td class="mono what">
        <CutText text={summaryOf(row.document)} />
      </td>
    </tr>
  );
}

/** `Until` goes by Loom's clock, the next try by this machine's. */
function Connection({ tail }: { tail: Tail }) {
  const { state, nextTryAt, problem } = tail.connection.value;
  if (state === "open") return <StateMark mood="good">live</StateMark>;
  if (state === "connecting") return <StateMark mood="calm">connecting</StateMark>;
  return (
    <StateMark mood="attention">
      not connected{problem && `: ${problem}`}; trying again{" "}
      {nextTryAt !== undefined && <Until at={nextTryAt + serverAheadMs.value} />}
    </StateMark>
  );
}

/** Every event since the filter was set is one of these; only what is there is named. */
function Counts({ counts, isPaused }: { counts: ShownCounts; isPaused: boolean }) {
  const { sinceAt, kept, matched, shown, waiting, notShown, unexamined, missed } = counts;
  return (
    <p class="counts" role="status" aria-live="off">
      since {formatClock(sinceAt)}: <b>{formatCount(kept)}</b> events, <b>{formatCount(matched)}</b> match,{" "}
      <b data-count="shown">{formatCount(shown)}</b> shown,{" "}
      <span class={notShown > 0 ? "attention" : undefined}>
        <b data-count="not-shown">{formatCount(notShown)}</b> not shown
      </span>
      {isPaused && (
        <>
          , <b data-count="waiting">{formatCount(waiting)}</b> new while paused
        </>
      )}
      {unexamined > 0 && (
        <span
          class="attention"
          title="They came faster than Loom looks at events, or are larger than 512 KiB; all of them are kept."
        >
          , {formatCount(unexamined)} not looked at
        </span>
      )}
      {missed > 0 && (
        <span class="attention" title="They were gone before this page took them; all of them are kept.">
          , {formatCount(missed)} missed
        </span>
      )}
    </p>
  );
}
