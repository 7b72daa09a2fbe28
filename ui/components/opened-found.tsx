import { useEffect, useMemo } from "preact/hooks";
import { OpenedEvent } from "../models/opened-event.ts";
import type { Search } from "../models/search.ts";
import { type SearchAddress, searchLink } from "../models/search-query.ts";
import { useApp } from "./app-context.ts";
import { EventDrawer } from "./event-drawer.tsx";
import type { EventAddress } from "./use-event-address.ts";
import { useKeys } from "./use-keys.ts";

export interface OpenedFoundProps {
  readonly search: Search;
  readonly address: SearchAddress;
  readonly events: EventAddress;
}

/** The event that the address names, beside the others. */
export function OpenedFound({ search, address, events }: OpenedFoundProps) {
  const { api } = useApp();
  const { eventId } = address;
  const opened = useMemo(() => new OpenedEvent(api), [api]);
  useEffect(() => void opened.show(eventId, search.rows.peek()), [opened, eventId, search]);
  const step = (steps: number) => {
    const rows = search.rows.peek();
    const next = rows[Math.max(0, rows.findIndex(({ id }) => id === eventId) + steps)];
    if (next) events.open(next.id);
  };
  useKeys([
    { key: "j", says: "open the next event", run: () => step(1) },
    { key: "k", says: "open the previous event", run: () => step(-1) },
  ]);
  const event = opened.event.value;
  return (
    <>
      {opened.problem.value && (
        <p class="attention" role="alert">
          The event cannot be opened: {opened.problem.value.message}.
        </p>
      )}
      {event && event.id === eventId && (
        <EventDrawer
          key={event.id}
          row={event}
          place="among the stored events"
          linkOf={(text) => searchLink({ text, range: address.range })}
          onClose={events.close}
        />
      )}
    </>
  );
}
