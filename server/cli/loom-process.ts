import { type Loom, type LoomOptions, startLoom } from "../main.ts";
import type { Log } from "../telemetry/log.ts";
import { exitWith } from "./exit.ts";
import { type StopSignal, signals } from "./signals.ts";

const logFlushMs = 500;
/** A stop ends after this time, whatever hangs: a service manager's patience is often 10 s. */
const maxStopMs = 9_000;
/** What a start may still take after a signal. It may be waiting for a slow disk, and nothing was acknowledged yet. */
const maxStartEndMs = 2_000;

/** A Loom as the only thing that its process does: it is stopped and reloaded by signals, and ends the process. */
export class LoomProcess {
  readonly #log: Log;
  readonly #startEnd = new AbortController();
  /** Resolves to undefined if the start failed or was ended by a signal. */
  #started: Promise<Loom | undefined> = Promise.resolve(undefined);
  #isEnding = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Starts Loom. If it cannot start, the process exits with the message that `explain` returns for the error. If a signal
   * ends the start, the process exits with status 0, and the result is never resolved.
   */
  async start(
    options: Omit<LoomOptions, "log" | "onFatal" | "signal">,
    explain: (error: Error) => string,
  ): Promise<Loom> {
    signals.onStop((signal) => void this.#end(signal));
    const starting = startLoom({
      ...options,
      log: this.#log,
      onFatal: (error) => void this.#end(error),
      signal: this.#startEnd.signal,
    });
    this.#started = starting.catch(() => undefined);
    try {
      const loom = await starting;
      signals.onReload((isLate) => this.#reload(loom, isLate));
      return loom;
    } catch (error) {
      await this.#log.flush(logFlushMs); // The error is the last line.
      if (!this.#isEnding) exitWith(explain(error as Error));
      return new Promise(() => {});
    }
  }

  #reload(loom: Loom, isLate: boolean): void {
    if (this.#isEnding) return;
    if (isLate) this.#log.info("SIGHUP was received during the start; reloading now");
    void loom.reload();
  }

  /** Exits with status 0 after a signal, with 1 if stdout is closed. Further signals do not interrupt it. */
  async #end(cause: Error | StopSignal): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const isFatal = cause instanceof Error;
    if (isFatal) this.#log.error("stdout is closed; stopping", { error: cause.message });
    else this.#log.info("stopping", { signal: cause });
    this.#startEnd.abort();
    const failure = await Promise.race([this.#stop(), Bun.sleep(maxStopMs).then(() => "the time is over")]);
    if (failure === undefined) this.#log.info("stopped");
    else
      this.#log.error("cannot stop completely; exiting now. Acknowledged events are kept", {
        reason: failure,
      });
    await this.#log.flush(logFlushMs);
    process.exit(isFatal ? 1 : 0);
  }

  /** @returns why it failed; undefined: everything is stopped */
  async #stop(): Promise<string | undefined> {
    try {
      const loom = await Promise.race([this.#started, Bun.sleep(maxStartEndMs)]);
      await loom?.stop();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
}
