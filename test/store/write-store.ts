import { type StoreEvent, StoreWriter } from "../../server/store/store-writer.ts";

export interface WriteOptions {
  readonly maxFileBytes?: number;
  /** The number of events in each delivery. */
  readonly deliverySizes?: () => number;
}

/** Writes events as Loom does, and leaves the last file open. */
export function writeStore(
  dir: string,
  events: readonly StoreEvent[],
  { maxFileBytes, deliverySizes = () => 500 }: WriteOptions = {},
): StoreWriter {
  const writer = StoreWriter.open({
    dir,
    maxBytes: 1e12,
    maxDays: 1e6,
    note: () => {},
    now: () => events.at(-1)?.receivedAt ?? 0,
    ...(maxFileBytes === undefined ? {} : { maxFileBytes }),
  });
  for (let at = 0; at < events.length; ) {
    const end = at + deliverySizes();
    writer.append("outbox", events.slice(at, end));
    at = end;
  }
  return writer;
}
