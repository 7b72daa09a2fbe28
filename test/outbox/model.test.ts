import { describe, expect, test } from "bun:test";
import { regionAt, segmentHeaderBytes } from "../../server/outbox/format.ts";
import type { OutboxCursor } from "../../server/outbox/reader.ts";
import { CannotKeep, type EnrichedBatch, type StoredBatch, type StoredEvent } from "../../server/pipeline.ts";
import { createRandom, type Random } from "../support/random.ts";
import { createMemoryDisk, type Fault, type MemoryDisk } from "./memory-disk.ts";
import { batchOf, openTestOutbox } from "./outboxes.ts";

/*
 * Random appends, deliveries, disk faults, damage, restarts and crashes, compared with what must be true of any outbox:
 * - every kept event is handed out to every output, in the order of the appends, until it is acknowledged. With
 *   "drop_oldest" some of the oldest are dropped instead, and none of them is handed out later in that run;
 * - no event whose append was refused is handed out, except after a later crash (its bytes may be on the disk);
 * - no event is handed out again after its acknowledgement resolved, not even after a crash;
 * - a sequence number that was handed out means the same event for ever;
 * - a batch that was handed out keeps its borders until it is acknowledged or taken back; of a batch that was dropped in part, the rest
 *   keeps its end;
 * - the ledger: at every moment, for every output, the kept events are delivered + dropped + damaged + pending;
 * - the segments take at most `maxBytes`, and the header of an empty segment.
 * LOOM_MODEL_RUNS is the number of seeds, LOOM_MODEL_SEED the first of them.
 */
const runs = Number(process.env.LOOM_MODEL_RUNS ?? 40);
const firstSeed = Number(process.env.LOOM_MODEL_SEED ?? 1);
const stepsPerRun = 120;
const dir = "/outbox";

interface Variant {
  readonly title: string;
  readonly onFull: "reject" | "drop_oldest";
  /** Disk faults and crashes. Without them the time of receipt of the oldest pending event is checked too. */
  readonly hasFaults: boolean;
  /** Frames are damaged, and segments are removed, truncated or become unreadable, while the outbox is open. */
  readonly hasDamage: boolean;
  /** The disk is smaller than `maxBytes`, and often smaller than a segment. */
  readonly isDiskSmall?: boolean;
}

const variants: readonly Variant[] = [
  { title: "reject", onFull: "reject", hasFaults: false, hasDamage: false },
  { title: "reject, disk faults and crashes", onFull: "reject", hasFaults: true, hasDamage: false },
  { title: "reject, damaged frames and lost segments", onFull: "reject", hasFaults: false, hasDamage: true },
  { title: "reject, a small disk", onFull: "reject", hasFaults: false, hasDamage: false, isDiskSmall: true },
  {
    title: "reject, a small disk, disk faults and crashes",
    onFull: "reject",
    hasFaults: true,
    hasDamage: false,
    isDiskSmall: true,
  },
  { title: "drop_oldest", onFull: "drop_oldest", hasFaults: false, hasDamage: false },
  { title: "drop_oldest, disk faults and crashes", onFull: "drop_oldest", hasFaults: true, hasDamage: false },
  {
    title: "drop_oldest, damaged frames and lost segments",
    onFull: "drop_oldest",
    hasFaults: false,
    hasDamage: true,
  },
];

for (const variant of variants)
  describe(variant.title, () => {
    for (let seed = firstSeed; seed < firstSeed + runs; seed++)
      test(`no event is lost, changed, miscounted or delivered twice (seed ${seed})`, async () => {
        await new ModelRun(variant, createRandom(seed)).run();
      });
  });

/** "unknown": it may be handed out or not. */
type Fate = "kept" | "refused" | "unknown";
type Opened = Awaited<ReturnType<typeof openTestOutbox>>;

/** What the model knows of one output. */
class OutputModel {
  /** Events whose acknowledgement resolved, since the first run. */
  readonly acknowledged = new Set<string>();
  /**
   * Those of them that were dropped before. Nothing on the disk says that they are acknowledged, so they are handed out
   * again if the removal of their segment fails and Loom is restarted.
   */
  readonly acknowledgedAfterDrop = new Set<string>();
  /** Events that were dropped in this run: a later one was handed out. */
  readonly passed = new Set<string>();
  /** Handed out and not acknowledged. */
  inFlight: StoredBatch | undefined;
  /** The last acknowledgement failed, so a restart may find it on the disk or not. */
  isAcknowledgementUnknown = false;
  /** Taking the batch back failed, so its borders may be on the disk or not. */
  areBordersUnknown = false;
  /** The last sequence number that was ever handed out. */
  lastHandedOut = 0;
  /** In this run. */
  deliveredEvents = 0;
  pendingAtStart = 0;

  constructor(readonly name: string) {}
}

class ModelRun {
  readonly #variant: Variant;
  readonly #random: Random;
  readonly #disk = createMemoryDisk();
  readonly #outputs: readonly OutputModel[];
  /** In the order of the appends. */
  readonly #fates = new Map<string, Fate>();
  readonly #receivedAt = new Map<string, number>();
  /** The event of every sequence number that was handed out. */
  readonly #meaning = new Map<number, string>();
  readonly #segmentBytes: number;
  readonly #maxBytes: number;
  readonly #diskBytes: number;
  readonly #violations: string[] = [];
  /** The paths of segments that the disk does not read. */
  readonly #unreadable = new Set<string>();
  #outbox!: Opened;
  #isOpen = false;
  #restarts = 0;
  #damagedAtStart = 0;
  #now = 1000;

  constructor(variant: Variant, random: Random) {
    this.#variant = variant;
    this.#random = random;
    this.#outputs = ["clickhouse", "elasticsearch"].map((name) => new OutputModel(name));
    this.#segmentBytes = 100 + random.below(2000);
    this.#diskBytes = variant.isDiskSmall ? 1500 + random.below(2000) : Number.POSITIVE_INFINITY;
    const isSmall = variant.onFull === "drop_oldest" || random.below(2) === 0;
    this.#maxBytes = isSmall ? 1500 + random.below(6000) : 64 * 1024 * 1024;
  }

  /**
   * Whether dropped segments may be there again, with gaps between them: their removal failed or was lost in a crash, and
   * Loom was restarted.
   */
  get #mayReappear(): boolean {
    return this.#variant.onFull === "drop_oldest" && this.#variant.hasFaults && this.#restarts > 0;
  }

  async run(): Promise<void> {
    this.#disk.pause = () => this.#pause();
    await this.#open();
    for (let step = 0; step < stepsPerRun; step++) {
      await this.#step();
      this.#checkLedger("after a step");
      if (!this.#variant.hasFaults) this.#checkAges();
      expect(this.#violations).toEqual([]);
    }
    this.#disk.fault = this.#readFault;
    for (const own of this.#outputs) await this.#drain(own);
    expect(this.#violations).toEqual([]);
    await this.#outbox.close();
  }

  async #step(): Promise<void> {
    const { hasFaults, hasDamage } = this.#variant;
    const chance = this.#random.below(100);
    this.#disk.fault = this.#lasting;
    if (hasFaults && chance < 4) return this.#crash();
    if (chance < 8) return this.#restart();
    if (hasDamage && chance < 16) this.#damageFrame();
    if (hasDamage && chance >= 97) this.#loseSegment();
    if (hasFaults && this.#random.below(8) === 0) this.#disk.fault = randomFault(this.#random);
    const tasks: Promise<void>[] = [];
    if (chance < 60) for (let n = this.#random.below(5); n >= 0; n--) tasks.push(this.#append());
    for (const own of this.#outputs) if (this.#random.below(3) > 0) tasks.push(this.#deliver(own));
    await Promise.all(tasks);
  }

  /** A write fails if the disk has no room for it. Cursors have their full size from the beginning. */
  readonly #noRoom = (operation: string, path: string, added: number): Fault => {
    if (operation !== "write" || !takesRoom(path)) return undefined;
    let used = 0;
    for (const [other, { content }] of this.#disk.entries) if (takesRoom(other)) used += content.length;
    return used + added > this.#diskBytes ? { code: "ENOSPC" } : undefined;
  };

  /** Up to three turns of the event loop, so that calls to the disk overlap in many ways. */
  async #pause(): Promise<void> {
    this.#checkLedger("before a call to the disk");
    for (let turns = this.#random.below(4); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#checkLedger("during a call to the disk");
    }
  }

  async #open(): Promise<void> {
    this.#outbox = await openTestOutbox({
      dir,
      files: this.#disk,
      outputs: this.#outputs.map(({ name }) => name),
      segmentBytes: this.#segmentBytes,
      maxBytes: this.#maxBytes,
      reserveBytes: this.#variant.isDiskSmall ? 200 : 0,
      onFull: this.#variant.onFull,
      now: () => this.#now++,
    });
    this.#damagedAtStart = this.#outbox.counts().damagedEvents;
    for (const own of this.#outputs) {
      own.deliveredEvents = 0;
      own.pendingAtStart = this.#outbox.reader(own.name).waiting().events;
      own.passed.clear();
      for (const text of own.acknowledgedAfterDrop) {
        own.acknowledged.delete(text);
        this.#fates.set(text, "unknown");
      }
      own.acknowledgedAfterDrop.clear();
      if (own.areBordersUnknown && !own.isAcknowledgementUnknown) own.inFlight = undefined;
      own.areBordersUnknown = false;
      if (!own.isAcknowledgementUnknown) continue;
      for (const { document } of own.inFlight?.events ?? []) this.#fates.set(document.toString(), "unknown");
      own.inFlight = undefined;
      own.isAcknowledgementUnknown = false;
    }
    this.#isOpen = true;
  }

  async #restart(): Promise<void> {
    await this.#outbox.close();
    this.#isOpen = false;
    this.#restarts++;
    await this.#open();
  }

  async #crash(): Promise<void> {
    // Some appends are under way at that moment.
    const interrupted = Array.from({ length: this.#random.below(4) }, () => {
      const documents = this.#newDocuments();
      return this.#outbox.append(toBatch(documents));
    });
    for (let turns = this.#random.below(12); turns > 0; turns--) await Promise.resolve();
    this.#isOpen = false;
    this.#disk.crash(this.#random);
    // The bytes of a refused batch may be on the disk.
    for (const [text, fate] of this.#fates) if (fate === "refused") this.#fates.set(text, "unknown");
    this.#disk.fault = () => ({ code: "EIO" });
    await Promise.allSettled(interrupted);
    await this.#outbox.close();
    this.#disk.fault = this.#lasting;
    this.#restarts++;
    await this.#open();
  }

  async #append(): Promise<void> {
    const documents = this.#newDocuments();
    const settle = (fate: Fate) => {
      for (const document of documents) this.#fates.set(document, fate);
    };
    await this.#outbox.append(toBatch(documents)).then(
      () => settle("kept"),
      (error: unknown) => {
        if (!(error instanceof CannotKeep)) throw error;
        settle("refused");
      },
    );
  }

  #newDocuments(): string[] {
    return Array.from({ length: 1 + this.#random.below(4) }, () => {
      const document = JSON.stringify({ n: this.#fates.size, pad: "x".repeat(this.#random.below(100)) });
      this.#fates.set(document, "unknown");
      this.#receivedAt.set(document, this.#now);
      return document;
    });
  }

  async #deliver(own: OutputModel): Promise<void> {
    const reader = this.#outbox.reader(own.name);
    const bounds = { maxEvents: 1 + this.#random.below(12), maxBytes: 1 + this.#random.below(1000) };
    const batch = await reader.next(bounds).catch((error: unknown) => this.#ignoreFault(error));
    if (!batch) return;
    this.#check(own, batch);
    if (this.#random.below(3) === 0) return;
    if (this.#random.below(6) === 0) return this.#takeBack(own, batch);
    // The output takes its time, in which other tasks run.
    if (this.#random.below(2) === 0) await this.#pause();
    await this.#acknowledge(own, batch).catch((error: unknown) => {
      own.isAcknowledgementUnknown = true;
      this.#ignoreFault(error);
    });
  }

  /** Only a fault of the disk may make a call fail. */
  #ignoreFault(error: unknown): undefined {
    const isFault = error instanceof Error && error.message.startsWith("outbox: cannot ");
    const isExpected = this.#variant.hasFaults || this.#unreadable.size > 0;
    if (!isFault || !isExpected) throw error;
    return undefined;
  }

  async #takeBack(own: OutputModel, batch: StoredBatch): Promise<void> {
    try {
      await this.#outbox.reader(own.name).takeBack(batch);
      own.inFlight = undefined;
    } catch (error) {
      own.areBordersUnknown = true;
      this.#ignoreFault(error);
    }
  }

  async #acknowledge(own: OutputModel, batch: StoredBatch): Promise<void> {
    const reader = this.#outbox.reader(own.name) as OutboxCursor;
    let isDropped = reader.position > batch.lastSequence;
    await reader.acknowledge(batch, () => {
      own.deliveredEvents += batch.events.length;
      isDropped ||= reader.position > batch.lastSequence + 1;
    });
    for (const { document } of batch.events) {
      own.acknowledged.add(document.toString());
      if (isDropped) own.acknowledgedAfterDrop.add(document.toString());
    }
    own.inFlight = undefined;
    own.isAcknowledgementUnknown = false;
  }

  async #drain(own: OutputModel): Promise<void> {
    const reader = this.#outbox.reader(own.name);
    // A page that cannot be read fails four times before it is skipped.
    for (let failures = 0; ; ) {
      const batch = await reader.next({ maxEvents: 50, maxBytes: 10_000 }).catch((error: unknown) => {
        if (++failures > 4 * this.#unreadable.size) throw error;
        return "failed" as const;
      });
      if (batch === "failed") continue;
      if (!batch) break;
      this.#check(own, batch);
      await this.#acknowledge(own, batch);
    }
    expect(reader.waiting()).toEqual({ events: 0, bytes: 0, oldestReceivedAt: undefined });
    if (this.#variant.onFull === "reject") expect(this.#undelivered(own)).toEqual([]);
  }

  /** Checks a batch that was handed out. */
  #check(own: OutputModel, batch: StoredBatch): void {
    let before = 0;
    for (const { sequence, document } of batch.events) {
      const text = document.toString();
      if (sequence <= before) throw new Error(`sequence ${sequence} after ${before}`);
      before = sequence;
      const meant = this.#meaning.get(sequence) ?? text;
      if (meant !== text) throw new Error(`sequence ${sequence} was ${meant} and is now ${text}`);
      this.#meaning.set(sequence, text);
      if (own.acknowledged.has(text)) throw new Error(`${text} was handed out to ${own.name} again`);
      if (own.passed.has(text)) throw new Error(`${text} was dropped and then handed out to ${own.name}`);
      if (this.#fates.get(text) === "refused") throw new Error(`${text} was refused and handed out`);
    }
    if (batch.events.length === 0) throw new Error("an empty batch");
    this.#checkBorders(own, batch);
    this.#checkOrder(own, batch);
    // The borders of another batch have overwritten the cursor of the failed acknowledgement.
    if (own.inFlight?.lastSequence !== batch.lastSequence) own.isAcknowledgementUnknown = false;
    own.inFlight = batch;
    own.lastHandedOut = Math.max(own.lastHandedOut, batch.lastSequence);
  }

  #checkBorders({ inFlight }: OutputModel, batch: StoredBatch): void {
    if (!inFlight) return;
    const isDropped = this.#variant.onFull === "drop_oldest" && batch.firstSequence > inFlight.firstSequence;
    const first = isDropped ? batch.firstSequence : 0;
    const rest = inFlight.events.filter(({ sequence }) => sequence >= first).map(toLine);
    // All of the batch was dropped.
    if (rest.length === 0) return;
    const lines = batch.events.filter(({ sequence }) => sequence >= inFlight.firstSequence).map(toLine);
    if (this.#mayReappear) {
      if (batch.firstSequence > inFlight.lastSequence) return;
      expect(rest).toEqual(expect.arrayContaining(lines));
      return;
    }
    // Events that were read before they were damaged may be missing after a restart.
    const isCertain = (line: string) => !this.#variant.hasDamage || this.#fates.get(textOf(line)) === "kept";
    const certain = rest.filter(isCertain);
    if (this.#variant.hasDamage && certain.length === 0) return;
    expect(lines.filter((line) => rest.includes(line))).toEqual(lines);
    expect(lines.filter(isCertain)).toEqual(certain);
    if (!this.#variant.hasDamage) expect(batch.lastSequence).toBe(inFlight.lastSequence);
  }

  /** The kept events of a batch follow each other in the order of the appends. */
  #checkOrder(own: OutputModel, batch: StoredBatch): void {
    const kept = batch.events
      .map(({ document }) => document.toString())
      .filter((text) => this.#fates.get(text) === "kept");
    const first = kept[0];
    if (first === undefined) return;
    const undelivered = this.#undelivered(own);
    const start = undelivered.indexOf(first);
    const following = undelivered.slice(start);
    const expected = this.#mayReappear
      ? following.filter((text) => kept.includes(text))
      : following.slice(0, kept.length);
    expect(kept).toEqual(expected);
    const passed = undelivered.slice(0, start);
    if (this.#variant.onFull === "reject") expect(passed).toEqual([]);
    for (const text of passed) own.passed.add(text);
  }

  #undelivered(own: OutputModel): string[] {
    const texts = [...this.#fates].filter(([, fate]) => fate === "kept").map(([text]) => text);
    return texts.filter((text) => !own.acknowledged.has(text) && !own.passed.has(text));
  }

  #checkLedger(when: string): void {
    if (!this.#isOpen) return;
    const { appendedEvents, skippedEvents, droppedEvents, damagedEvents, sizeBytes } = this.#outbox.counts();
    // A segment whose removal failed is there again after a restart.
    if (!this.#variant.hasFaults && sizeBytes > this.#maxBytes + segmentHeaderBytes)
      this.#violations.push(`${when}: ${sizeBytes} of ${this.#maxBytes} bytes`);
    // Each event counts once, whether one or both outputs skipped it.
    const skipped = Object.values(skippedEvents);
    const damagedSinceStart = damagedEvents - this.#damagedAtStart;
    if (
      damagedSinceStart < Math.max(...skipped) ||
      damagedSinceStart > skipped.reduce((sum, n) => sum + n, 0)
    )
      this.#violations.push(`${when}: ${damagedSinceStart} damaged, and the outputs skipped ${skipped}`);
    for (const { name, pendingAtStart, deliveredEvents } of this.#outputs) {
      const kept = pendingAtStart + appendedEvents;
      const pending = this.#outbox.reader(name).waiting().events;
      const dropped = droppedEvents[name] ?? 0;
      const damaged = skippedEvents[name] ?? 0;
      if (kept !== deliveredEvents + dropped + damaged + pending)
        this.#violations.push(
          `${when}, ${name}: ${kept} kept, but ${deliveredEvents} delivered, ${dropped} dropped, ${damaged} damaged, ${pending} pending`,
        );
    }
  }

  /** The pending events are the last ones that were kept, unless a batch is in flight or events are damaged. */
  #checkAges(): void {
    if (this.#variant.hasDamage) return;
    const kept = [...this.#fates].filter(([, fate]) => fate === "kept").map(([text]) => text);
    for (const { name, inFlight } of this.#outputs) {
      if (inFlight) continue;
      const { events, bytes, oldestReceivedAt } = this.#outbox.reader(name).waiting();
      const oldest = kept[kept.length - events];
      const expected = oldest === undefined ? undefined : this.#receivedAt.get(oldest);
      expect([name, oldestReceivedAt]).toEqual([name, expected]);
      expect(bytes > 0).toBe(events > 0);
    }
  }

  /** Flips a byte of a frame that was handed out to no output. */
  #damageFrame(): void {
    const lastHandedOut = Math.max(...this.#outputs.map((own) => own.lastHandedOut));
    const frames = [...this.#disk.entries.values()].flatMap((inode) =>
      framesOf(inode.content)
        .filter(({ firstSequence }) => firstSequence > lastHandedOut)
        .map((frame) => ({ inode, ...frame })),
    );
    if (frames.length === 0) return;
    const { inode, start, end, documents } = this.#random.pick(frames);
    const offset = start + this.#random.below(end - start);
    inode.content = flipped(inode.content, offset);
    inode.synced = flipped(inode.synced, offset);
    // The reader may have read the frame before.
    for (const text of documents) this.#fates.set(text, "unknown");
  }

  /** Removes or truncates a segment, or makes it unreadable. */
  #loseSegment(): void {
    const paths = [...this.#disk.entries.keys()].filter((path) => path.startsWith(`${dir}/0`)).sort();
    // What is appended to the newest segment must still be found.
    const path = paths.length > 1 ? this.#random.pick(paths.slice(0, -1)) : undefined;
    const inode = path && this.#disk.entries.get(path);
    if (!inode) return;
    const way = this.#random.pick(["removed", "truncated", "unreadable"]);
    const sizeBytes = way === "truncated" ? this.#random.below(inode.content.length) : 0;
    for (const { end, documents } of framesOf(inode.content))
      if (end > sizeBytes) for (const text of documents) this.#fates.set(text, "unknown");
    if (way === "removed") this.#disk.removeNow(path);
    else if (way === "unreadable") this.#unreadable.add(path);
    else {
      inode.content = inode.content.subarray(0, sizeBytes);
      inode.synced = inode.content;
    }
  }

  readonly #readFault: MemoryDisk["fault"] = (operation, path) =>
    operation === "read" && this.#unreadable.has(path) ? { code: "EIO" } : undefined;

  /** The faults of this run that do not pass. */
  readonly #lasting: MemoryDisk["fault"] = (operation, path, bytes, position) =>
    this.#noRoom(operation, path, bytes) ?? this.#readFault(operation, path, bytes, position);
}

function toBatch(documents: readonly string[]): EnrichedBatch {
  return batchOf(...documents);
}

function toLine({ sequence, document }: StoredEvent): string {
  return `${sequence} ${document.toString()}`;
}

function textOf(line: string): string {
  return line.slice(line.indexOf(" ") + 1);
}

interface FrameOnDisk {
  readonly start: number;
  readonly end: number;
  readonly firstSequence: number;
  readonly documents: readonly string[];
}

const anySequence = { firstSequence: 0, endSequence: Number.POSITIVE_INFINITY };

/** The intact frames of a segment file. */
function framesOf(content: Buffer): readonly FrameOnDisk[] {
  const frames: FrameOnDisk[] = [];
  for (
    let region = regionAt(content, segmentHeaderBytes, anySequence);
    region;
    region = regionAt(content, region.end, anySequence)
  )
    if (region.kind === "frame") {
      const { start, end, header } = region;
      const lines = content.toString("utf8", start, end).split("\n");
      frames.push({ start, end, firstSequence: header.firstSequence, documents: lines.slice(1, -1) });
    }
  return frames;
}

function takesRoom(path: string): boolean {
  return path.endsWith(".seg") || path.endsWith("/reserve");
}

function flipped(content: Buffer, offset: number): Buffer {
  const copy = Buffer.from(content);
  copy[offset] = (copy[offset] ?? 0) ^ 0x10;
  return copy;
}

/** One kind of call to the disk fails from now on. */
function randomFault(random: Random): MemoryDisk["fault"] {
  const failing = random.pick([
    "read",
    "write",
    "datasync",
    "truncate",
    "create",
    "syncDirectory",
    "open",
    "remove",
  ]);
  const code = random.pick(["ENOSPC", "EIO"]);
  let callsBefore = random.below(3);
  return (operation): Fault => {
    if (operation !== failing || callsBefore-- > 0) return undefined;
    return operation === "write" && code === "ENOSPC" ? { shortBytes: 0 } : { code };
  };
}
