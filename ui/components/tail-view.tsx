import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { tailLink } from "../models/links.ts";
import { RowCache } from "../models/row-cache.ts";
import { type EventRow, Tail, type TailRow } from "../models/tail.ts";
import { openTail } from "../models/tail-connection.ts";
import { useApp } from "./app-context.ts";
import { EventDrawer } from "./event-drawer.tsx";
import { ScrollBox } from "./scroll-box.tsx";
import { tailRow } from "./tail-row.tsx";
import { TailStatus } from "./tail-status.tsx";
import { useKeys } from "./use-keys.ts";

export interface TailViewProps {
  /** "" for all events. */
  readonly query: string;
  /** Without the sensor, for the page of one sensor. */
  readonly isCompact?: boolean;
}

/** The live tail: a table of events with the newest first, its counts, and the opened event beside it. */
export function TailView({ query, isCompact = false }: TailViewProps) {
  const tail = useTail(query);
  const opened = useSignal<EventRow | undefined>(undefined);
  const close = () => {
    opened.value = undefined;
  };
  useKeys([
    { key: "p", says: "pause or resume the tail", run: () => tail.togglePause() },
    { key: "j", says: "open the next event", run: () => openNeighbour(tail, opened, 1) },
    { key: "k", says: "open the previous event", run: () => openNeighbour(tail, opened, -1) },
  ]);
  return (
    <div class="tail">
      <TailStatus tail={tail} />
      <EventTable tail={tail} opened={opened} isCompact={isCompact} />
      {tail.rows.value.length === 0 && (
        <p class="placeholder" role="status">
          {tail.connection.value.state === "open"
            ? "No events yet. New events appear here as soon as they are kept."
            : "Connecting…"}
        </p>
      )}
      {opened.value && (
        <EventDrawer
          key={opened.value.key}
          row={opened.value}
          place="in the live tail"
          linkOf={tailLink}
          onClose={close}
        />
      )}
    </div>
  );
}

/** A tail that is open while the component is on the page. */
function useTail(query: string): Tail {
  const { api } = useApp();
  const tail = useMemo(() => new Tail((text, listener) => openTail(api, text, listener)), [api]);
  useEffect(() => tail.watch(query), [tail, query]);
  useEffect(() => () => tail.stop(), [tail]);
  return tail;
}

/** Opens the event that is this many steps below the opened one, or the first event. */
function openNeighbour(tail: Tail, opened: Signal<EventRow | undefined>, steps: number): void {
  const events = tail.rows.value.filter((row) => row.kind === "event");
  const at = events.findIndex(({ key }) => key === opened.value?.key);
  opened.value = events[Math.max(0, at + steps)] ?? opened.value;
}

interface EventTableProps {
  readonly tail: Tail;
  readonly opened: Signal<EventRow | undefined>;
  readonly isCompact: boolean;
}

function EventTable({ tail, opened, isCompact }: EventTableProps) {
  const rows = useMemo(() => {
    const open = (row: EventRow) => {
      opened.value = row;
    };
    return new RowCache((row: TailRow) => tailRow(row, isCompact, open));
  }, [opened, isCompact]);
  return (
    <ScrollBox label="Events">
      <table class={isCompact ? "events compact" : "events"}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {!isCompact && <th scope="col">Sensor</th>}
            <th scope="col">Source</th>
            <th scope="col">Location</th>
            <th scope="col">Network</th>
            <th scope="col" class="number">
              Port
            </th>
            <th scope="col">Summary</th>
          </tr>
        </thead>
        <tbody>{tail.rows.value.map((row) => rows.get(row))}</tbody>
      </table>
    </ScrollBox>
  );
}
