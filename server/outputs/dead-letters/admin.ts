import type { Log } from "../../telemetry/log.ts";
import { createPendingRequestsReader } from "./pending-requests.ts";
import type { DeadLetter } from "./record.ts";
import { writeRequest } from "./requests.ts";
import type { DeadLetterStore } from "./store.ts";

/** Where dead letters are looked at and pending for while delivery goes on writing them; any number of calls at a time. */
export interface DeadLetterAdmin {
  /** At most `limit` letters with higher numbers than `after`, in the order of their numbers. */
  list(page: { readonly after: number | undefined; readonly limit: number }): Promise<DeadLetterPage>;
  /** undefined: there is none. @throws Error when it can't be read */
  read(sequence: number): Promise<DeadLetterEntry | undefined>;
  /**
   * Leaves a request to send letters again; numbers that are no letters are left out, and those that are pending for
   * already are not pending for twice.
   * @returns how many of them there are. @throws Error when the disk does not take the request
   */
  requestRetry(sequences: readonly number[] | "all"): Promise<number>;
}

export interface DeadLetterPage {
  /** Of all letters. */
  readonly total: number;
  readonly records: readonly DeadLetterEntry[];
  /** The `after` of the next page; undefined: this is the last one. */
  readonly next: number | undefined;
}

export interface DeadLetterEntry extends DeadLetter {
  /** A retry is requested and has not been sent yet. */
  readonly isRetryPending: boolean;
}

export interface DeadLetterAdminOptions {
  readonly dir: string;
  readonly output: string;
  readonly store: Pick<DeadLetterStore, "has" | "read" | "sequences" | "waiting">;
  readonly log: Log;
}

/** A page ends early when its documents are more than this: one of 100 of the largest events would be gigabytes. */
const maxPageBytes = 8 * 1024 * 1024;

export function createDeadLetterAdmin({ dir, output, store, log }: DeadLetterAdminOptions): DeadLetterAdmin {
  const readPendingRequests = createPendingRequestsReader(dir, output, store.has);

  return {
    async list({ after = -1, limit }) {
      // Before the letters: a request that is served meanwhile is seen as still waiting, never the other way round.
      const pending = await readPendingRequests();
      const isCandidate = (sequence: number) => sequence > after && !pending.drop.has(sequence);
      const sequences = smallest(store.sequences(), limit + 1, isCandidate);
      let total = store.waiting().events;
      for (const sequence of pending.drop) if (store.has(sequence)) total--;
      const records: DeadLetterEntry[] = [];
      let bytes = 0;
      let taken = 0;
      for (const sequence of sequences.slice(0, limit)) {
        if (bytes >= maxPageBytes) break;
        taken++;
        const record = await store.read(sequence).catch((error: Error) => {
          log.error("cannot read a dead letter; left out of the list", {
            output,
            sequence,
            error: error.message,
          });
          return undefined;
        });
        // Delivered or dropped meanwhile.
        if (!record) continue;
        bytes += record.event.document.length;
        records.push({ ...record, isRetryPending: pending.retry.has(sequence) });
      }
      return { total, records, next: taken < sequences.length ? sequences[taken - 1] : undefined };
    },

    async read(sequence) {
      const pending = await readPendingRequests();
      if (pending.drop.has(sequence)) return undefined;
      const record = await store.read(sequence);
      return record && { ...record, isRetryPending: pending.retry.has(sequence) };
    },

    async requestRetry(sequences) {
      const pending = await readPendingRequests();
      const wanted = new Set(sequences === "all" ? store.sequences() : sequences);
      const there = [...wanted].filter((sequence) => store.has(sequence) && !pending.drop.has(sequence));
      const missing = there.filter((sequence) => !pending.retry.has(sequence)).sort((a, b) => a - b);
      if (missing.length > 0) await writeRequest(dir, output, "retry", missing);
      return there.length;
    },
  };
}

/** The smallest `count` numbers that are candidates, in order. The numbers come nearly in order, so most are passed over. */
function smallest(
  numbers: Iterable<number>,
  count: number,
  isCandidate: (number: number) => boolean,
): number[] {
  const found: number[] = [];
  let largest = Number.POSITIVE_INFINITY;
  for (const number of numbers) {
    if (number >= largest || !isCandidate(number)) continue;
    const index = found.findLastIndex((one) => one < number) + 1;
    found.splice(index, 0, number);
    if (found.length > count) found.pop();
    if (found.length === count) largest = found.at(-1) ?? largest;
  }
  return found;
}
