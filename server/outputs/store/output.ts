import { lockStore } from "../../store/lock-store.ts";
import type { StoreLocation } from "../../store/store-location.ts";
import { WriterClient } from "../../store/writer-client.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Output, SendOutcome } from "../output.ts";
import { declareStoreMetrics } from "./store-metrics.ts";

export interface StoreOptions extends StoreLocation {
  readonly log: Log;
}

/** How far the store is behind at most. */
const maxFlushIntervalMs = 1_000;

/**
 * Stores events on this machine. The writer recognises what it has stored already by its sequence numbers, so that a
 * delivery that is repeated after a crash or a timeout is stored once.
 * @throws Error if another Loom uses the directory, or it cannot be written; the message says what to do
 */
export async function createStoreOutput({ log, ...location }: StoreOptions): Promise<Output> {
  const { lock, ...limits } = await lockStore(location);
  const storeLog = log.component("store");
  const writer = new WriterClient({
    ...limits,
    note: (level, message, fields) => storeLog[level](message, fields),
  });
  return {
    name: "store",
    maxFlushIntervalMs,
    async send({ outboxId, events }): Promise<SendOutcome> {
      const failure = await writer.append(outboxId, events);
      if (failure === undefined) return { kind: "delivered" };
      return { kind: failure.isBlocked ? "hold" : "retry", reason: failure.reason };
    },
    declareMetrics: (metrics) =>
      declareStoreMetrics(metrics, () => ({ ...writer.report, maxBytes: limits.maxBytes })),
    async close() {
      await writer.close();
      lock.release();
    },
  };
}
