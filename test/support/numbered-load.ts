import { createRandom } from "./random.ts";
import { send } from "./send.ts";

/** A batch of events `{"sender":…,"n":…}`. Each sender increments its own `n`. */
export interface NumberedBatch {
  readonly sender: number;
  readonly firstNumber: number;
  readonly eventCount: number;
  isAcknowledged: boolean;
}

/** Several senders. Like sensors, each sends one batch at a time and does not send a batch again that was not answered 204. */
export interface NumberedLoad {
  /** All batches, in the order of sending. */
  readonly batches: readonly NumberedBatch[];
  acknowledgedCount(): number;
  /** Sets the address that the senders send to; undefined makes them wait. */
  sendTo(url: string | undefined): void;
  /** Resolves when every batch that was begun is answered, or its connection has failed. */
  stop(): Promise<void>;
}

const senderCount = 4;
const maxEventsPerBatch = 20;
/** The pause between an answer and the next batch, so that a sender that is refused at once does not use all processor time. */
const maxPauseMs = 8;

export function startNumberedLoad(seed: number): NumberedLoad {
  const batches: NumberedBatch[] = [];
  let acknowledged = 0;
  let isStopped = false;
  let target = Promise.withResolvers<string | undefined>();

  async function run(sender: number): Promise<void> {
    const random = createRandom(seed + sender);
    for (let firstNumber = 1; ; ) {
      const url = await target.promise;
      if (isStopped || url === undefined) return;
      const batch = {
        sender,
        firstNumber,
        eventCount: 1 + random.below(maxEventsPerBatch),
        isAcknowledged: false,
      };
      batches.push(batch);
      firstNumber += batch.eventCount;
      // A kill ends a connection without an answer.
      const status = await send(url, bodyOf(batch)).catch(() => undefined);
      if (status === 204) {
        batch.isAcknowledged = true;
        acknowledged++;
      }
      await Bun.sleep(random.below(maxPauseMs));
    }
  }

  const senders = Array.from({ length: senderCount }, (_, sender) => run(sender));
  return {
    batches,
    acknowledgedCount: () => acknowledged,
    sendTo(url) {
      target.resolve(url);
      target = Promise.withResolvers();
      if (url !== undefined) target.resolve(url);
    },
    async stop() {
      isStopped = true;
      target.resolve(undefined);
      await Promise.all(senders);
    },
  };
}

function bodyOf(batch: NumberedBatch): string {
  return `[${numbersOf(batch)
    .map((n) => eventText(batch.sender, n))
    .join(",")}]`;
}

function numbersOf({ firstNumber, eventCount }: NumberedBatch): number[] {
  return Array.from({ length: eventCount }, (_, index) => firstNumber + index);
}

function eventText(sender: number, n: number): string {
  return `{"sender":${sender},"n":${n}}`;
}

/** The differences between an output and what it must contain. Each list has to be empty, and contains only the first few. */
export interface Discrepancies {
  /** Acknowledged events that the output does not have. */
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  /** Batches that the output has only in part. */
  readonly torn: readonly string[];
  /** Events after a later event of the same sender. */
  readonly disordered: readonly string[];
  /** Events that no sender sent. */
  readonly unknown: readonly string[];
}

export const noDiscrepancies: Discrepancies = {
  lost: [],
  doubled: [],
  torn: [],
  disordered: [],
  unknown: [],
};

/** Compares the events of an output with those that were sent to Loom. */
export function findDiscrepancies(
  batches: readonly NumberedBatch[],
  documents: readonly string[],
): Discrepancies {
  const there = new Set(documents);
  const known = new Set<string>();
  const lost: string[] = [];
  const torn: string[] = [];
  for (const batch of batches) {
    const texts = numbersOf(batch).map((n) => eventText(batch.sender, n));
    for (const text of texts) known.add(text);
    const missing = texts.filter((text) => !there.has(text));
    if (batch.isAcknowledged) lost.push(...missing);
    if (missing.length > 0 && missing.length < texts.length) torn.push(JSON.stringify(batch));
  }
  const seen = new Set<string>();
  const doubled: string[] = [];
  const disordered: string[] = [];
  const latest = new Map<number, number>();
  for (const document of documents) {
    if (seen.has(document)) doubled.push(document);
    seen.add(document);
    const { sender, n }: { sender: number; n: number } = JSON.parse(document);
    if (n < (latest.get(sender) ?? 0)) disordered.push(document);
    latest.set(sender, n);
  }
  const unknown = documents.filter((document) => !known.has(document));
  return {
    lost: firstFew(lost),
    doubled: firstFew(doubled),
    torn: firstFew(torn),
    disordered: firstFew(disordered),
    unknown: firstFew(unknown),
  };
}

const maxNamed = 5;

function firstFew(found: readonly string[]): string[] {
  const more = found.length - maxNamed;
  return more > 0 ? [...found.slice(0, maxNamed), `and ${more} more`] : [...found];
}
