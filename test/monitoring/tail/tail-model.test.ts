import { expect, test } from "bun:test";
import type { TailHello } from "../../../server/monitoring/tail/messages.ts";
import { createRandom, type Random } from "../../support/random.ts";
import { until } from "../../support/until.ts";
import {
  createTestTail,
  type EventsMessage,
  eventsOf,
  type Message,
  quickTiming,
  type TestViewer,
} from "./tails.ts";

/*
 * Random batches, budgets and viewers that read, pause, leave and reconnect. They check what must be true of every tail:
 * - Over all streams of a viewer, the events missed between the streams and the events that messages count are together all
 *   events kept since it connected first, or since the start if it was connected to an earlier run.
 * - Every message has exactly the number of events in its span that were kept, not sampled, evicted, and matched.
 * - The events in a message are the newest matching ones that are not evicted, in order, each once, and unchanged.
 * - A matching event that is not in a message exceeded the limits of a message or a backlog, or is evicted by now.
 * LOOM_MODEL_RUNS is the number of seeds, LOOM_MODEL_SEED the first of them.
 */
const runs = Number(process.env.LOOM_MODEL_RUNS ?? 40);
const firstSeed = Number(process.env.LOOM_MODEL_SEED ?? 1);
const stepsPerRun = 150;
const maxMessageEvents = 100;
const maxBacklogEvents = 500;

/** Every event has one of these words and one of these ports. */
const words = ["alpha", "beta", "gamma"];
const ports = [22, 23, 80];

interface ModelFilter {
  readonly query: string;
  readonly isMatch: (event: KeptEvent) => boolean;
}

const filters: readonly ModelFilter[] = [
  { query: "", isMatch: () => true },
  { query: "", isMatch: () => true },
  { query: "port:22", isMatch: ({ port }) => port === 22 },
  { query: "port:9", isMatch: () => false },
  { query: "-beta", isMatch: ({ word }) => word !== "beta" },
  { query: "port:<80 alpha", isMatch: ({ port, word }) => port < 80 && word === "alpha" },
  { query: "sensor:*2,vps-3", isMatch: ({ sensor }) => sensor === "vps-2" },
];

interface KeptEvent {
  readonly port: number;
  readonly word: string;
  readonly sensor: string;
  readonly line: string;
}

/** What the model knows of one viewer, over all its streams. */
interface ModelViewer {
  readonly filter: ModelFilter;
  stream: TestViewer | undefined;
  /** The read that has not finished yet. */
  reading: Promise<void> | undefined;
  lastId: string | undefined;
  /** All events up to this number are counted; undefined before the first hello. */
  at: number | undefined;
  /** Its last id belongs to an earlier run of Loom. */
  isFromBefore: boolean;
  /** It received the hello of its present stream. */
  isGreeted: boolean;
  /** Loom ended its stream. */
  hasEnded: boolean;
}

class Model {
  readonly #random: Random;
  readonly #tail: ReturnType<typeof createTestTail>;
  /** By number; there is no event 0. */
  readonly #kept: (KeptEvent | undefined)[] = [undefined];
  readonly viewers: ModelViewer[] = [];
  #now = 0;
  #failure: unknown;

  constructor(seed: number) {
    this.#random = createRandom(seed);
    const random = this.#random;
    this.#tail = createTestTail({
      maxCount: random.pick([30, 200, 1_000, 5_000]),
      maxBytes: random.pick([100_000, 16_000_000]),
      budget: random.pick([
        { eventsPerSecond: 1e9, bytesPerSecond: 1e12 },
        { eventsPerSecond: 300, bytesPerSecond: 1e9 },
        { eventsPerSecond: 1e9, bytesPerSecond: 20_000 },
      ]),
      monotonic: () => this.#now,
      timing: quickTiming,
    });
  }

  async step(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const random = this.#random;
    this.#now += random.below(400);
    const chance = random.below(100);
    if (chance < 35) this.#keep(random.pick([1, 5, 50, 400]));
    else if (chance < 45) this.#come();
    else if (chance < 50) await this.#leave();
    else this.#readSome();
    for (let turns = random.below(4); turns > 0; turns--)
      await new Promise<void>((resolve) => setImmediate(resolve));
  }

  async finish(): Promise<void> {
    // Now all viewers read to the end.
    const rests = this.viewers.map(async (viewer) => {
      while (!viewer.hasEnded) await this.#read(viewer);
    });
    await until("all viewers are connected", () => this.viewers.every(({ stream }) => stream !== undefined));
    await this.#tail.tail.stop();
    await Promise.all(rests);
    expect(this.#tail.tail.viewerCount).toBe(0);
    const { kept } = this.#tail.sampler.counts;
    expect(this.viewers.map(({ at }) => at)).toEqual(this.viewers.map(() => kept));
  }

  #keep(maxCount: number): void {
    const random = this.#random;
    const sensor = random.pick(["vps-1", "vps-2"]);
    const events = Array.from({ length: 1 + random.below(maxCount) }, (_, index) => {
      const [port, word] = [random.pick(ports), random.pick(words)];
      const n = this.#kept.length + index;
      return {
        port,
        word,
        sensor,
        line: JSON.stringify({ n, destination: { port }, word: word.toUpperCase() }),
      };
    });
    this.#kept.push(...events);
    this.#tail.keep(
      events.map(({ line }) => line),
      sensor,
    );
  }

  #come(): void {
    if (this.viewers.length >= 8) return;
    this.viewers.push({
      filter: this.#random.pick(filters),
      stream: undefined,
      reading: undefined,
      lastId: undefined,
      at: undefined,
      isFromBefore: false,
      isGreeted: false,
      hasEnded: false,
    });
  }

  async #leave(): Promise<void> {
    const viewer = this.#anyViewer();
    if (!viewer?.stream) return;
    const { stream, reading } = viewer;
    viewer.stream = undefined;
    await stream.leave();
    await reading;
    if (this.#random.below(8) > 0) return;
    viewer.lastId = "0123456789abcdef.17";
    viewer.isFromBefore = true;
  }

  /** Reads the next message; joins a read that has not finished yet. */
  #read(viewer: ModelViewer): Promise<void> {
    viewer.reading ??= this.#readOne(viewer).finally(() => {
      viewer.reading = undefined;
    });
    return viewer.reading;
  }

  #readSome(): void {
    const viewer = this.#anyViewer();
    // An error is thrown at the next step, because nothing awaits this read.
    if (viewer)
      this.#read(viewer).catch((error: unknown) => {
        this.#failure ??= error;
      });
  }

  #anyViewer(): ModelViewer | undefined {
    return this.viewers.length > 0 ? this.#random.pick(this.viewers) : undefined;
  }

  async #open(viewer: ModelViewer): Promise<TestViewer> {
    const stream = await this.#tail.view(
      `?${new URLSearchParams({ q: viewer.filter.query })}`,
      viewer.lastId === undefined ? {} : { "last-event-id": viewer.lastId },
    );
    viewer.stream = stream;
    viewer.isGreeted = false;
    return stream;
  }

  async #readOne(viewer: ModelViewer): Promise<void> {
    const stream = viewer.stream ?? (await this.#open(viewer));
    const message = await stream.next();
    // The viewer left meanwhile: a message in flight is lost with the connection, and is sent again.
    if (viewer.stream !== stream) return;
    if (message) this.#take(viewer, message);
    else viewer.stream = undefined;
  }

  #take(viewer: ModelViewer, message: Message): void {
    if (message.event === "bye") viewer.hasEnded = true;
    if (message.id === undefined) return;
    if (message.event === "hello") this.#takeHello(viewer, message);
    else this.#takeEvents(viewer, eventsOf(message));
    viewer.lastId = message.id;
  }

  #takeHello(viewer: ModelViewer, { data, id }: Message): void {
    const hello = JSON.parse(data[0] ?? "") as TailHello;
    const at = numberOf(id);
    const { isResumed, missed } = hello;
    if (viewer.isFromBefore)
      expect({ at, isResumed, missed }).toEqual({ at: 0, isResumed: false, missed: null });
    else if (viewer.at === undefined) expect({ isResumed, missed }).toEqual({ isResumed: false, missed: 0 });
    else expect({ isResumed, missed }).toEqual({ isResumed: true, missed: at - viewer.at });
    viewer.at = at;
    viewer.isFromBefore = false;
    viewer.isGreeted = true;
  }

  #takeEvents(viewer: ModelViewer, message: EventsMessage): void {
    expect(viewer.isGreeted).toBe(true);
    const from = viewer.at ?? Number.NaN;
    const to = numberOf(message.id);
    const { kept, unexamined, missed, matched, events } = message;
    expect(kept).toBe(to - from);
    const inSpan = this.#tail.sampled.filter(({ number }) => number > from && number <= to);
    expect(unexamined).toBe(kept - inSpan.length);
    expect(missed).toBeWithin(0, inSpan.length + 1);
    // The oldest events are evicted.
    const held = inSpan.slice(missed).map(({ number }) => number);
    const matching = held.filter((number) => this.#isMatch(viewer.filter, number));
    expect(matched).toBe(matching.length);
    const shown = events.map(({ number }) => number);
    expect(shown).toEqual(shown.length > 0 ? matching.slice(-shown.length) : []);
    for (const [index, number] of shown.entries()) {
      const line = message.lines[index] ?? "";
      expect(line.slice(line.indexOf('"document":') + 11, -1)).toBe(this.#kept[number]?.line ?? "");
      expect(events[index]?.sensorId).toBe(this.#kept[number]?.sensor ?? "");
    }
    expect(shown.length).toBeLessThanOrEqual(maxMessageEvents);
    viewer.at = to;
    const leftOut = matching.slice(0, matching.length - shown.length);
    if (shown.length === maxMessageEvents || leftOut.length === 0) return;
    const lastLeftOut = leftOut.at(-1) ?? 0;
    const isEvicted = lastLeftOut <= this.#tail.recentEvents.lastEvicted.number;
    // The events that a backlog leaves out are counted in a message before it: 500 newer ones match.
    const newer = this.#tail.sampled.filter(
      ({ number }) => number > lastLeftOut && this.#isMatch(viewer.filter, number),
    );
    expect(isEvicted || (shown.length === 0 && newer.length >= maxBacklogEvents)).toBe(true);
  }

  #isMatch(filter: ModelFilter, number: number): boolean {
    const event = this.#kept[number];
    if (!event) throw new Error(`no event ${number} was kept`);
    return filter.isMatch(event);
  }
}

function numberOf(id: string | undefined): number {
  return Number(id?.split(".")[1]);
}

for (let seed = firstSeed; seed < firstSeed + runs; seed++)
  test(`the counts of a tail add up, and no event is sent twice (seed ${seed})`, async () => {
    const model = new Model(seed);
    for (let step = 0; step < stepsPerRun; step++) await model.step();
    await model.finish();
  }, 60_000);
