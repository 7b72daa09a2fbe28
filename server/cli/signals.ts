export type StopSignal = "SIGTERM" | "SIGINT";

/**
 * Receives the signals of the process. A signal that arrives before there is a handler for it is given to the handler as
 * soon as there is one. Without this, SIGHUP and SIGTERM during the start would end the process as if it had failed.
 */
class Signals {
  #stop: ((signal: StopSignal) => void) | undefined;
  #reload: ((isLate: boolean) => void) | undefined;
  #earlyStop: StopSignal | undefined;
  #isReloadPending = false;
  readonly #onSigterm = () => this.#receiveStop("SIGTERM");
  readonly #onSigint = () => this.#receiveStop("SIGINT");
  readonly #onSighup = () => this.#receiveReload();

  /** Begins to receive the signals. */
  listen(): void {
    process.on("SIGTERM", this.#onSigterm);
    process.on("SIGINT", this.#onSigint);
    process.on("SIGHUP", this.#onSighup);
  }

  /** Replaces the handler of SIGTERM and SIGINT. It is called for each of these signals. */
  onStop(handler: (signal: StopSignal) => void): void {
    this.#stop = handler;
    if (this.#earlyStop === undefined) return;
    handler(this.#earlyStop);
    this.#earlyStop = undefined;
  }

  /** Sets the handler of SIGHUP. `isLate`: the signal arrived before there was a handler. */
  onReload(handler: (isLate: boolean) => void): void {
    this.#reload = handler;
    if (this.#isReloadPending) handler(true);
    this.#isReloadPending = false;
  }

  /** Lets the signals end the process again, for commands that have nothing to stop. */
  restoreDefaults(): void {
    process.off("SIGTERM", this.#onSigterm);
    process.off("SIGINT", this.#onSigint);
    process.off("SIGHUP", this.#onSighup);
    const received = this.#earlyStop ?? (this.#isReloadPending ? "SIGHUP" : undefined);
    if (received !== undefined) process.kill(process.pid, received);
  }

  #receiveStop(signal: StopSignal): void {
    if (this.#stop) this.#stop(signal);
    else this.#earlyStop ??= signal;
  }

  #receiveReload(): void {
    if (this.#reload) this.#reload(false);
    else this.#isReloadPending = true;
  }
}

/** The signals of this process. Signals can be received once only, so there is a single instance. */
export const signals = new Signals();
