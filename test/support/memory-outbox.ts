import type { BatchBounds, OutboxReader, StoredBatch, StoredEvent } from "../../server/pipeline.ts";

/** An outbox in memory with one reader. */
export interface MemoryOutbox extends OutboxReader {
  append(documents: readonly string[], receivedAt: number): void;
  readonly acknowledged: readonly StoredBatch[];
  /** The number of batches that were taken back. */
  readonly takenBack: number;
  /** Behaves like a restart after a crash: batches that were not acknowledged are read again. */
  reopen(): void;
}

export function storedEvent(sequence: number, document = `{"n":${sequence}}`, receivedAt = 0): StoredEvent {
  return { sequence, sensorId: "vps-1", receivedAt, document: Buffer.from(document) };
}

export function createMemoryOutbox(): MemoryOutbox {
  const events: StoredEvent[] = [];
  const acknowledged: StoredBatch[] = [];
  let position = 0;
  let takenBack = 0;
  let handedOut: StoredBatch | undefined;
  let listeners: (() => void)[] = [];

  function batchWithin({ maxEvents, maxBytes }: BatchBounds): StoredBatch | undefined {
    const taken: StoredEvent[] = [];
    let bytes = 0;
    for (const event of events.slice(position, position + maxEvents)) {
      bytes += event.document.length;
      if (taken.length > 0 && bytes > maxBytes) break;
      taken.push(event);
    }
    const [first, last] = [taken[0], taken.at(-1)];
    return first && last && { firstSequence: first.sequence, lastSequence: last.sequence, events: taken };
  }

  return {
    acknowledged,
    get takenBack() {
      return takenBack;
    },
    append(documents, receivedAt) {
      for (const document of documents) events.push(storedEvent(events.length + 1, document, receivedAt));
      for (const listener of listeners) listener();
      listeners = [];
    },
    reopen() {
      handedOut = undefined;
    },
    async next(bounds) {
      if (handedOut) throw new Error("the batch before is not acknowledged");
      handedOut = batchWithin(bounds);
      return handedOut;
    },
    async acknowledge(batch, onMoved) {
      if (batch !== handedOut) throw new Error("acknowledged what was not handed out");
      handedOut = undefined;
      position += batch.events.length;
      acknowledged.push(batch);
      onMoved?.();
    },
    async takeBack(batch) {
      if (batch === handedOut) handedOut = undefined;
      takenBack++;
    },
    whenAppended(signal) {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        listeners.push(resolve);
        signal.addEventListener("abort", () => resolve());
      });
    },
    waiting() {
      const left = events.slice(position);
      return {
        events: left.length,
        bytes: left.reduce((sum, { document }) => sum + document.length, 0),
        oldestReceivedAt: left[0]?.receivedAt,
      };
    },
  };
}
