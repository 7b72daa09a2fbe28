import type { Log } from "../../telemetry/log.ts";
import type { TimeSlices } from "../sampling/time-slices.ts";
import type { Change, SavedPart } from "./saved-entries.ts";
import type { Removal, Write } from "./state-database.ts";
import type { StateFile } from "./state-file.ts";

export interface StateSaverOptions {
  readonly file: Pick<StateFile, "write" | "close">;
  /** What changes with every batch: saved every 5 s. */
  readonly quickParts: readonly SavedPart[];
  /** What is larger, or can be lost for a minute: saved every minute. */
  readonly slowParts: readonly SavedPart[];
  readonly timeSlices: Pick<TimeSlices, "run">;
  readonly log: Log;
}

const intervalMs = 5_000;
const savesPerSlowSave = 12;
/** After this time without an answer of the disk, the log says so. */
const hangMs = 30_000;

/** Saves the changes of the dashboard's state every few seconds, and all of them at the end. */
export class StateSaver {
  readonly #options: StateSaverOptions;
  readonly #timer: NodeJS.Timeout;
  /** By kind and key, what is to be written. What could not be written stays, so that it is written with the next save. */
  readonly #writes = new Map<string, Write>();
  readonly #removals = new Map<string, Removal>();
  /** By kind, the key up to which entries are removed already. */
  readonly #removed = new Map<string, string>();
  #saves = 0;
  #saving: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: StateSaverOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.save(), intervalMs);
    this.#timer.unref();
  }

  /** Saves what has changed, unless the previous save is still running. */
  save(isAll = false): Promise<void> {
    this.#saving ??= this.#saveChanges(isAll)
      .catch((error: Error) => this.#noteResult(`BUG: ${error.stack}`))
      .finally(() => {
        this.#saving = undefined;
      });
    return this.#saving;
  }

  /** Saves everything and closes the file, within `maxWaitMs`. */
  async stop(maxWaitMs: number): Promise<void> {
    clearInterval(this.#timer);
    const deadline = performance.now() + maxWaitMs;
    const saved = (this.#saving ?? Promise.resolve()).then(() => this.save(true));
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, maxWaitMs);
    await Promise.race([saved, timeout.promise]);
    clearTimeout(timer);
    await this.#options.file.close(Math.max(1, deadline - performance.now()));
  }

  async #saveChanges(isAll: boolean): Promise<void> {
    const { file, quickParts, slowParts, timeSlices } = this.#options;
    const isSlowDue = isAll || this.#saves++ % savesPerSlowSave === savesPerSlowSave - 1;
    const changes = changesOf(isSlowDue ? [...quickParts, ...slowParts] : quickParts);
    // Changes are written as JSON here, because an object would be copied to the other thread, which takes longer.
    await timeSlices.run((until) => {
      for (let next = changes.next(); !next.done; next = changes.next()) {
        this.#note(next.value);
        if (performance.now() >= until) return false;
      }
      return true;
    });
    const writes = [...this.#writes.values()];
    const removals = [...this.#removals.values()].filter(
      ({ kind, below }) => this.#removed.get(kind) !== below,
    );
    if (writes.length === 0 && removals.length === 0) return;
    const hang = setTimeout(() => this.#noteResult("the disk does not answer"), hangMs);
    const failure = await file.write(writes, removals);
    clearTimeout(hang);
    this.#noteResult(failure);
    if (failure !== undefined) return;
    for (const write of writes) {
      const id = idOf(write);
      if (this.#writes.get(id) === write) this.#writes.delete(id);
    }
    for (const { kind, below } of removals) this.#removed.set(kind, below);
  }

  #note(change: Change): void {
    if (!("below" in change)) {
      const { kind, key, value } = change;
      this.#writes.set(idOf(change), {
        kind,
        key,
        json: value === undefined ? value : JSON.stringify(value),
      });
      return;
    }
    this.#removals.set(change.kind, change);
    for (const [id, { kind, key }] of this.#writes)
      if (kind === change.kind && key < change.below) this.#writes.delete(id);
  }

  #noteResult(failure: string | undefined): void {
    const { log } = this.#options;
    if (failure !== undefined && !this.#isFailing)
      log.warn("cannot save the dashboard's state; trying again every 5 s", { reason: failure });
    if (failure === undefined && this.#isFailing) log.info("the dashboard's state is saved again");
    this.#isFailing = failure !== undefined;
  }
}

function* changesOf(parts: readonly SavedPart[]): Generator<Change, void> {
  for (const part of parts) yield* part.changes();
}

function idOf({ kind, key }: Pick<Write, "kind" | "key">): string {
  return `${kind}\n${key}`;
}
