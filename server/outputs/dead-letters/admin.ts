import type { Log } from "../../telemetry/log.ts";
import { createPendingRequestsReader } from "./pending-requests.ts";
import type { DeadLetter } from "./record.ts";
import { writeRequest } from "./requests.ts";
import type { DeadLetterStore } from "./store.ts";

/** What operators do with the dead letters of one output while delivery writes them. Any number of calls may run at a time. */
export interface DeadLetterAdmin {
  /**
   * At most `limit` records with sequence numbers above `after`, ordered by sequence number. A page of large events has
   * fewer. Records that an operator requested to drop are left out.
   */
  list(page: { readonly after: number | undefined; readonly limit: number }): Promise<DeadLetterPage>;
  /** @returns undefined if there is no such record. @throws Error when it cannot be read */
  read(sequence: number): Promise<DeadLetterEntry | undefined>;
  /**
   * Writes a request to send records again. It leaves out numbers without a record, and records whose retry is pending.
   * @returns how many of the numbers have a record. @throws Error when the request cannot be written
   */
  requestRetry(sequences: readonly number[] | "all"): Promise<number>;
}

export interface DeadLetterPage {
  /** The number of all records, on all pages. */
  readonly total: number;
  readonly records: readonly DeadLetterEntry[];
  /** The `after` of the next page; undefined on the last page. */
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

/** A page ends early when its documents exceed this: 100 of the largest events would be gigabytes. */
const maxPageBytes = 8 * 1024 * 1024;

export function createDeadLetterAdmin({ dir, output, store, log }: DeadLetterAdminOptions): DeadLetterAdmin {
  const readPendingRequests = createPendingRequestsReader(dir, output, (sequence) => store.has(sequence));

  /** @returns undefined also for a record that was delivered or dropped in the meantime */
  async function readOrLog(sequence: number): Promise<DeadLetter | undefined> {
    try {
      return await store.read(sequence);
    } catch (error) {
      const reason = (error as Error).message;
      log.error("cannot read a dead letter; the list is shown without it", {
        output,
        sequence,
        error: reason,
      });
      return undefined;
    }
  }

  return {
    async list({ after = -1, limit }) {
      // Requests are read before records: if one is served in between, its records are shown as pending, not as untouched.
      const pending = await readPendingRequests();
      const isCandidate = (sequence: number) => sequence > after && !pending.drop.has(sequence);
      const sequences = smallest(store.sequences(), limit + 1, isCandidate);
      let total = store.waiting().events;
      for (const sequence of pending.drop) if (store.has(sequence)) total--;
      const records: DeadLetterEntry[] = [];
      let bytes = 0;
      let examined = 0;
      for (const sequence of sequences.slice(0, limit)) {
        if (bytes >= maxPageBytes) break;
        examined++;
        const record = await readOrLog(sequence);
        if (!record) continue;
        bytes += record.event.document.length;
        records.push({ ...record, isRetryPending: pending.retry.has(sequence) });
      }
      return { total, records, next: examined < sequences.length ? sequences[examined - 1] : undefined };
    },

    async read(sequence) {
      const pending = await readPendingRequests();
      if (pending.drop.has(sequence)) return undefined;
      const record = await store.read(sequence);
      return record && { ...record, isRetryPending: pending.retry.has(sequence) };
    },

    async requestRetry(sequences) {
      const pending = await readPendingRequests();
      const chosen = new Set(sequences === "all" ? store.sequences() : sequences);
      const found = [...chosen].filter((sequence) => store.has(sequence) && !pending.drop.has(sequence));
      const unrequested = found.filter((sequence) => !pending.retry.has(sequence)).sort((a, b) => a - b);
      if (unrequested.length > 0) await writeRequest(dir, output, "retry", unrequested);
      return found.length;
    },
  };
}

/**
 * The smallest `count` of the numbers that are candidates, in order. It is fast for numbers that are nearly in order, as
 * sequence numbers are: it skips nearly all numbers above the largest one found.
 */
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
