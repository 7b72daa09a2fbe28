/*
 * What was kept and what was refused of one sensor in the last five minutes, in steps of ten seconds. The window includes
 * the step that is not over yet, so it covers up to ten seconds more.
 */

export const lossStepMs = 10_000;
/** Five minutes and the step that is not over yet. */
const steps = 31;

/** Refused requests of one sensor that have the same reason. */
export interface RefusedBatch {
  readonly reason: string;
  /** What exceeded which limit, in Loom's words. */
  readonly detail: string | undefined;
  readonly events: number;
  readonly isEstimate: boolean;
}

/** The loss of a sensor in the last five minutes. */
export interface Loss {
  readonly keptRequests: number;
  readonly refusedRequests: number;
  readonly keptEvents: number;
  readonly refusedEvents: number;
  /** Whether `refusedEvents` has events that were not counted but estimated. */
  readonly isEstimate: boolean;
  /** The refused part of the events, above 0 and at most 1. */
  readonly share: number;
  /** The reason of most of the refused events, and its latest detail. */
  readonly reason: string;
  readonly detail: string | undefined;
  /** When the first of these requests was refused. */
  readonly firstRefusedAgoMs: number;
}

interface RefusedStep {
  readonly step: number;
  readonly firstAt: number;
  readonly reason: string;
  detail: string | undefined;
  requests: number;
  events: number;
  isEstimate: boolean;
}

/** Times are milliseconds of the monotonic clock. It takes a third of a kilobyte while nothing is refused. */
export class LossWindow {
  readonly #keptRequests = new Uint32Array(steps);
  readonly #keptEvents = new Uint32Array(steps);
  /** The step that the last of these counts belongs to. */
  #step = 0;
  /** In the order of their steps; one for each step and reason. */
  #refused: RefusedStep[] = [];

  noteKept(events: number, at: number): void {
    this.#advance(at);
    const slot = this.#step % steps;
    this.#keptRequests[slot] = (this.#keptRequests[slot] ?? 0) + 1;
    this.#keptEvents[slot] = (this.#keptEvents[slot] ?? 0) + events;
  }

  noteRefused({ reason, detail, events, isEstimate }: RefusedBatch, at: number): void {
    this.#advance(at);
    const step = this.#step;
    let refused = this.#refused.find((one) => one.step === step && one.reason === reason);
    if (!refused) {
      refused = { step, firstAt: at, reason, detail, requests: 0, events: 0, isEstimate: false };
      this.#refused.push(refused);
    }
    refused.detail = detail;
    refused.requests++;
    refused.events += events;
    refused.isEstimate ||= isEstimate;
  }

  /** @returns undefined if nothing was refused in the last five minutes */
  lossAt(at: number): Loss | undefined {
    this.#advance(at);
    const refused = this.#refused;
    const [first] = refused;
    if (!first) return undefined;
    const keptEvents = sum(this.#keptEvents);
    const refusedEvents = sum(refused.map(({ events }) => events));
    const main = mainReason(refused);
    return {
      keptRequests: sum(this.#keptRequests),
      refusedRequests: sum(refused.map(({ requests }) => requests)),
      keptEvents,
      refusedEvents,
      isEstimate: refused.some((one) => one.isEstimate),
      share: refusedEvents / (keptEvents + refusedEvents),
      reason: main,
      detail: refused.findLast(({ reason }) => reason === main)?.detail,
      firstRefusedAgoMs: at - first.firstAt,
    };
  }

  #advance(at: number): void {
    const step = Math.floor(at / lossStepMs);
    const from = Math.max(this.#step + 1, step - steps + 1);
    for (let over = from; over <= step; over++) {
      this.#keptRequests[over % steps] = 0;
      this.#keptEvents[over % steps] = 0;
    }
    this.#step = Math.max(step, this.#step);
    if (this.#refused.length > 0) this.#refused = this.#refused.filter((one) => one.step > step - steps);
  }
}

function mainReason(refused: readonly RefusedStep[]): string {
  const events = new Map<string, number>();
  for (const one of refused) events.set(one.reason, (events.get(one.reason) ?? 0) + one.events);
  const [main] = [...events].sort(([, a], [, b]) => b - a);
  return main?.[0] ?? "";
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
