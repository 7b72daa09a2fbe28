import { lockDirectory } from "../../directory-lock.ts";
import { diskSpace } from "../../store/store-errors.ts";
import { WriterClient } from "../../store/writer-client.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Output, SendOutcome } from "../output.ts";
import { defaultSizeLimit } from "./size-limit.ts";
import { declareStoreMetrics } from "./store-metrics.ts";

export interface StoreOptions {
  readonly dir: string;
  /** undefined: see defaultSizeLimit. */
  readonly maxBytes: number | undefined;
  readonly maxDays: number;
  readonly log: Log;
}

/** How far the store is behind at most. */
const maxFlushIntervalMs = 1_000;

/**
 * Stores events on this machine. The writer recognises what it has stored already by its sequence numbers, so that a
 * delivery that is repeated after a crash or a timeout is stored once.
 * @throws Error if another Loom uses the directory, or it cannot be written; the message says what to do
 */
export async function createStoreOutput({ dir, maxDays, log, ...options }: StoreOptions): Promise<Output> {
  const lock = await lockDirectory(dir, { name: "store", key: "output.store_dir" });
  const maxBytes = options.maxBytes ?? (await defaultSizeLimit(dir, diskSpace(dir).free));
  const storeLog = log.component("store");
  const writer = new WriterClient({
    dir,
    maxBytes,
    maxDays,
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
    declareMetrics: (metrics) => declareStoreMetrics(metrics, () => ({ ...writer.report, maxBytes })),
    async close() {
      await writer.close();
      lock.release();
    },
  };
}
