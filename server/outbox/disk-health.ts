import type { Log } from "../telemetry/log.ts";
import { errorText } from "./file-layer.ts";

/**
 * After a failure the disk is tried again at this interval. A load balancer that saw `/ready/ingest` fail sends no batch
 * that would try it.
 */
const probeIntervalMs = 1_000;

export interface DiskHealthOptions {
  readonly log: Log;
  /**
   * Starts an attempt to write, which ends in `failed` or `recovered`.
   * @returns false if the disk is in use now; then it is called again after the interval
   */
  readonly startProbe: () => boolean;
}

/** Whether the disk takes batches. While it does not, a timer starts probes, so that the failure ends without a batch. */
export class DiskHealth {
  readonly #log: Log;
  readonly #startProbe: () => boolean;
  #failure: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor({ log, startProbe }: DiskHealthOptions) {
    this.#log = log;
    this.#startProbe = startProbe;
  }

  /** The last failure; undefined if the last attempt to write succeeded. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Notes that a write failed. @returns the reason, for the sensors' requests and `/ready` */
  failed(error: unknown): string {
    const reason = `outbox: ${errorText(error)}`;
    if (this.#failure === undefined)
      this.#log.error("cannot keep batches; they are refused until a write succeeds", { reason });
    this.#failure = reason;
    this.#arm();
    return reason;
  }

  /** Notes that a write succeeded. */
  recovered(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#log.info("batches can be kept again");
  }

  /** Starts no more probes. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#startProbe()) this.#arm();
    }, probeIntervalMs);
  }
}
