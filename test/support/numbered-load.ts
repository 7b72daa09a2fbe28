import { createRandom } from "./random.ts";
import { send } from "./send.ts";

/** A batch of events `{"sender":…,"n":…}`, `n` counted up by each sender. */
export interface NumberedBatch {
  readonly sender: number;
  readonly firstNumber: number;
  readonly eventCount: number;
  isAcknowledged: boolean;
}

/** Several senders, each with one batch after the other, as sensors do: what is not answered 204 is not sent again. */
export interface NumberedLoad {
  /** In the order of sending. */
  readonly batches: readonly NumberedBatch[];
  acknowledgedCount(): number;
  /** From now on there; undefined: nobody is there, the senders wait. */
  sendTo(url: string | undefined): void;
  /** Resolves when every batch that was begun is answered or lost. */
  stop(): Promise<void>;
}

const senderCount = 4;
const maxEventsPerBatch = 20;
/** Between an answer and the next batch, so that a sender that is refused at once does not spin. */
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
      // A connection that ends without an answer is what a kill does.
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

/** Where an output differs from what it must hold; each list is to be empty, and names only the first few. */
export interface Discrepancies {
  /** Acknowledged, and not there. */
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  /** Batches of which only a part is there. */
  readonly torn: readonly string[];
  /** After an event of the same sender that was sent later. */
  readonly disordered: readonly string[];
  /** Nobody sent it. */
  readonly unknown: readonly string[];
}

export const noDiscrepancies: Discrepancies = {
  lost: [],
  doubled: [],
  torn: [],
  disordered: [],
  unknown: [],
};

/** Holds what an output has against what was sent to Loom. */
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
