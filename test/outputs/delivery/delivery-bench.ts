import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DeadLetters, openDeadLetters } from "../../../server/outputs/dead-letters/dead-letters.ts";
import type { AttemptObservation } from "../../../server/outputs/delivery/batch-sender.ts";
import { type DeliveryLimits, OutputDelivery } from "../../../server/outputs/delivery/delivery.ts";
import type { Delivery, Output, SendOutcome } from "../../../server/outputs/output.ts";
import { type LoggedLine, recordingLog } from "../../support/log.ts";
import { createManualClock, type ManualClock } from "../../support/manual-clock.ts";
import { createMemoryOutbox, type MemoryOutbox } from "../../support/memory-outbox.ts";

export type Answer = (delivery: Delivery, signal: AbortSignal) => SendOutcome | Promise<SendOutcome>;

/** A running delivery with an output that a test scripts, real dead letters, and time that stands still. */
export interface DeliveryBench extends AsyncDisposable {
  readonly dir: string;
  readonly clock: ManualClock;
  readonly outbox: MemoryOutbox;
  readonly deadLetters: DeadLetters;
  readonly delivery: OutputDelivery;
  /** Sequence numbers of each send, in order. */
  readonly sent: readonly (readonly number[])[];
  readonly attempts: readonly AttemptObservation[];
  readonly logged: readonly LoggedLine[];
  /** Appends so many events, received now. */
  append(count: number): void;
}

export const limits: DeliveryLimits = {
  maxEvents: 10,
  maxBytes: 1024 * 1024,
  flushIntervalMs: 500,
  retryBackoffMs: 1000,
  retryMaxBackoffMs: 30_000,
  requestTimeoutMs: 60_000,
};

export interface BenchOptions {
  readonly answer?: Answer;
  readonly limits?: Partial<DeliveryLimits>;
  readonly outbox?: MemoryOutbox;
  readonly isReachable?: () => boolean;
  /** Stays there when the bench goes. */
  readonly dir?: string;
  readonly wrapDeadLetters?: (real: DeadLetters) => DeadLetters;
}

export async function benchWith(options: BenchOptions = {}): Promise<DeliveryBench> {
  const { answer = () => ({ kind: "delivered" }), outbox = createMemoryOutbox() } = options;
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "loom-delivery-"));
  const clock = createManualClock();
  const log = recordingLog();
  const opened = await openDeadLetters({ dir, output: "stub", log, now: clock.now });
  const deadLetters = options.wrapDeadLetters?.(opened) ?? opened;
  const sent: number[][] = [];
  const attempts: AttemptObservation[] = [];
  const output: Output = {
    name: "stub",
    async send(delivery, signal) {
      sent.push(delivery.events.map(({ sequence }) => sequence));
      return answer(delivery, signal);
    },
    isReachable: async () => options.isReachable?.() ?? true,
    close() {},
  };
  const delivery = new OutputDelivery({
    reader: outbox,
    outboxId: "outbox-1",
    output,
    deadLetters,
    limits: { ...limits, ...options.limits },
    log,
    clock,
    onAttempt: (attempt) => void attempts.push(attempt),
  });
  return {
    dir,
    clock,
    outbox,
    deadLetters,
    delivery,
    sent,
    attempts,
    logged: log.lines,
    append: (count) =>
      outbox.append(
        Array.from({ length: count }, (_, n) => `{"n":${n}}`),
        clock.now(),
      ),
    async [Symbol.asyncDispose]() {
      await delivery.stop(0);
      if (!options.dir) rmSync(dir, { recursive: true });
    },
  };
}

/** Answers in turn; the last one from then on. */
export function inTurn(...answers: readonly (SendOutcome | Answer)[]): Answer {
  let next = 0;
  return (delivery, signal) => {
    const answer = answers[Math.min(next++, answers.length - 1)] ?? { kind: "delivered" };
    return typeof answer === "function" ? answer(delivery, signal) : answer;
  };
}

export const delivered: SendOutcome = { kind: "delivered" };
export const away: SendOutcome = { kind: "retry", reason: "HTTP 503" };

export function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}
