import { useEffect, useMemo, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import { type SearchAddress, searchLink } from "../models/search-query.ts";

export interface EventAddress {
  readonly open: (id: string) => void;
  readonly close: () => void;
}

/**
 * Opens and closes events by the page's address. All events that are opened one after the other are one entry of the
 * browser's history, and closing goes back over it, so that Back does not open an event again. The functions stay the same.
 */
export function useEventAddress(address: SearchAddress): EventAddress {
  const { route } = useLocation();
  const latest = useRef({ address, route });
  latest.current = { address, route };
  /** Whether the entry before this one is the list. */
  const isAfterList = useRef(false);
  useEffect(() => {
    if (address.eventId === undefined) isAfterList.current = false;
  }, [address.eventId]);
  return useMemo(
    () => ({
      open(eventId) {
        const { address: current, route: go } = latest.current;
        const isOpen = current.eventId !== undefined;
        if (!isOpen) isAfterList.current = true;
        go(searchLink({ ...current, eventId }), isOpen);
      },
      close() {
        const { address: current, route: go } = latest.current;
        if (isAfterList.current) history.back();
        else go(searchLink({ ...current, eventId: undefined }), true);
      },
    }),
    [],
  );
}
