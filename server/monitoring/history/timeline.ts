import { type Change, numberKey, type SavedEntries } from "../saved-state/saved-entries.ts";
import { Chronicle } from "./chronicle.ts";
import { CounterHistory, type SharedSteps } from "./counter-history.ts";
import { StepRing, shortStepMs, stepLevels } from "./step-ring.ts";

/*
 * What is saved: the name and number of each counter (kind "counters"); for each step that is over, the amounts of all
 * counters as [counter, amount, counter, amount, …] without zeros (kinds "steps 10s", "steps 5m", …); and the amounts of the
 * short step that is not over (kind "open step"). A step of a longer level that was not over when the state was saved is the
 * sum of shorter ones.
 */

const namesKind = "counters";
const openKind = "open step";
const stepsKind = stepLevels.map(({ name }) => `steps ${name}`);
/** Counters beyond this number are recorded, but not saved. 1,000 sensors, and the counters of outputs and enrichment. */
const maxSavedCounters = 1_100;

interface SavedOpenStep {
  readonly step: number;
  /** [counter, amount, counter, amount, …] */
  readonly amounts: readonly number[];
}

interface Counter {
  readonly history: CounterHistory;
  /** The number under which it is saved; undefined: there are too many. */
  readonly id: number | undefined;
}

/** The histories of all counters, in the same steps. */
export class Timeline implements SharedSteps {
  readonly chronicle: Chronicle;
  readonly #beforeSample: () => void;
  readonly #counters = new Map<string, Counter>();
  readonly #nameChanges: Change[] = [];
  /** For each level, the first step that is not saved. */
  readonly #firstUnsaved = stepLevels.map(() => 0);
  readonly #running = stepLevels.map(() => ({ completed: -1, steps: [] as readonly boolean[] }));
  #nextId = 0;
  #sampledAt: number;
  #completed: number;

  /** @param beforeSample called before each sample; may `track` new counters */
  constructor(chronicle = new Chronicle(), beforeSample: () => void = () => {}, saved?: SavedEntries) {
    this.chronicle = chronicle;
    this.#beforeSample = beforeSample;
    this.#sampledAt = chronicle.startedMs;
    this.#completed = Math.floor(this.#sampledAt / shortStepMs);
    if (saved) this.#restore(saved);
  }

  get completedSteps(): number {
    return this.#completed;
  }

  /**
   * The history of a counter: the existing one with this name, or a new one. A history takes 7 KB and is never removed, so
   * names must come from the configuration.
   * @param read returns the counter's total since the start of the process, which never decreases
   */
  track(name: string, read: () => number): CounterHistory {
    let counter = this.#counters.get(name);
    if (!counter) {
      const isSaved = this.#counters.size < maxSavedCounters;
      counter = { history: new CounterHistory(this), id: isSaved ? this.#nextId++ : undefined };
      this.#counters.set(name, counter);
      if (isSaved) this.#nameChanges.push({ kind: namesKind, key: numberKey(counter.id ?? 0), value: name });
    }
    counter.history.readFrom(read);
    return counter.history;
  }

  /** Reads every counter. */
  sample(): void {
    this.#beforeSample();
    const at = this.chronicle.elapsedMs;
    const completed = Math.floor(at / shortStepMs);
    const span = { lastAtMs: this.#sampledAt, atMs: at, lastCompleted: this.#completed, completed };
    for (const { history } of this.#counters.values()) history.sample(span);
    this.#sampledAt = at;
    this.#completed = completed;
  }

  /** Reads every counter if a step has ended since the last sample, because the timer may be late. */
  catchUp(): void {
    if (Math.floor(this.chronicle.elapsedMs / shortStepMs) > this.#completed) this.sample();
  }

  runningIn(level: number): readonly boolean[] {
    const { stepMs, steps } = stepLevels[level] ?? stepLevels[0];
    const completed = Math.floor((this.#completed * shortStepMs) / stepMs);
    const known = this.#running[level];
    if (known?.completed === completed) return known.steps;
    const first = completed - steps;
    const running = Array.from({ length: steps }, (_, i) => {
      const fromMs = (first + i) * stepMs;
      return fromMs >= 0 && this.chronicle.runningMs(fromMs, fromMs + stepMs) > 0;
    });
    this.#running[level] = { completed, steps: running };
    return running;
  }

  *changes(): Iterable<Change> {
    this.catchUp();
    yield* this.#nameChanges.splice(0);
    for (const level of stepLevels.keys()) yield* this.#stepChanges(level);
    const open = this.#amounts((history) => history.sinceStep);
    yield {
      kind: openKind,
      key: "",
      value: { step: this.#completed, amounts: open } satisfies SavedOpenStep,
    };
  }

  *#stepChanges(level: number): Iterable<Change> {
    const kind = stepsKind[level] ?? "";
    const ring = new StepRing(stepLevels[level] ?? stepLevels[0]);
    const completed = ring.stepOf(this.#completed);
    const oldest = Math.max(0, completed - ring.size + 1);
    const first = Math.max(this.#firstUnsaved[level] ?? 0, oldest);
    if (first >= completed) return;
    this.#firstUnsaved[level] = completed;
    for (let step = first; step < completed; step++) {
      const amounts = this.#amounts((history) => history.rings[level]?.at(step) ?? 0);
      if (amounts.length > 0) yield { kind, key: numberKey(step), value: amounts };
    }
    yield { kind, below: numberKey(oldest) };
  }

  #amounts(amountOf: (history: CounterHistory) => number): number[] {
    const amounts: number[] = [];
    for (const { id, history } of this.#counters.values()) {
      const amount = amountOf(history);
      if (id !== undefined && amount > 0) amounts.push(id, amount);
    }
    return amounts;
  }

  /** Restores the rings as they were when the state was saved, and advances them to the present. */
  #restore(saved: SavedEntries): void {
    const open = saved.only(openKind, (value) => value as SavedOpenStep);
    const present = Math.min(
      open?.step ?? Math.floor(this.chronicle.continuedMs / shortStepMs),
      this.#completed,
    );
    const isOpenStill = present === this.#completed;
    const openAmounts = new Map(pairsOf(open?.amounts ?? []));
    const byId = new Map<number, CounterHistory>();
    const names = new Map<string, number>();
    saved.each(namesKind, (name, key) => {
      if (typeof name !== "string") throw new TypeError("a name is not a string");
      names.set(name, Number(key));
      byId.set(Number(key), new CounterHistory(this, isOpenStill ? openAmounts.get(Number(key)) : 0));
    });
    const add = (id: number, level: number, step: number, amount: number) => {
      const ring = byId.get(id)?.rings[level];
      if (ring?.has(step, present)) ring.add(step, amount);
    };
    for (const level of stepLevels.keys())
      saved.each(stepsKind[level] ?? "", (amounts, key) => {
        for (const [id, amount] of pairsOf(amounts as number[])) add(id, level, Number(key), amount);
        this.#firstUnsaved[level] = Math.max(this.#firstUnsaved[level] ?? 0, Number(key) + 1);
      });
    if (!isOpenStill) for (const [id, amount] of openAmounts) add(id, 0, present, amount);
    for (const { rings } of byId.values()) {
      for (const [level, ring] of rings.entries())
        ring.addSteps(rings[level - 1], present, this.#firstUnsaved[level]);
      for (const ring of rings) ring.advance(present, this.#completed);
    }
    this.#addRestored(names, byId);
  }

  /** A counter whose last step is no longer in a ring is forgotten, such as that of a sensor that was removed a year ago. */
  #addRestored(names: ReadonlyMap<string, number>, byId: ReadonlyMap<number, CounterHistory>): void {
    for (const [name, id] of names) {
      const history = byId.get(id);
      this.#nextId = Math.max(this.#nextId, id + 1);
      if (history && (history.sinceStep > 0 || history.rings.some((ring) => !ring.isEmpty())))
        this.#counters.set(name, { history, id });
      else this.#nameChanges.push({ kind: namesKind, key: numberKey(id), value: undefined });
    }
  }
}

function* pairsOf(flat: readonly number[]): Iterable<[id: number, amount: number]> {
  for (let i = 0; i + 1 < flat.length; i += 2) yield [flat[i] ?? 0, flat[i + 1] ?? 0];
}
