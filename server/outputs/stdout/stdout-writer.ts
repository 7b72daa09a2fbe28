import { createDescriptorWriter, type DescriptorWriter } from "../../descriptor-writer.ts";
import { CannotKeep, type EnrichedBatch } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import type { DirectOutput } from "../output.ts";
import type { OutputReport } from "../output-report.ts";
import { StdoutAccount } from "./stdout-report.ts";

export interface StdoutWriterOptions {
  readonly log: Log;
  /** Called once when nothing can be written any more because the reader is gone. */
  readonly onClosed: (error: Error) => void;
  readonly writer?: DescriptorWriter;
  readonly stalledAfterMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * The reader counts as stalled after this time without progress, which is shorter than the 15 s that a sensor waits for
 * its answer. A slow reader gets slices of 256 KiB, so that one that reads 52 KB/s does not count as stalled.
 */
const defaultStalledAfterMs = 5_000;
/** The limit for batches that wait for the reader. Further batches are refused at once. */
const maxPendingBytes = 32 * 1024 * 1024;
/** Errors after which the descriptor may accept bytes again. */
const passingErrors = new Set(["ENOSPC", "EDQUOT", "EFBIG", "EIO", "ENOMEM"]);

const stalledReason = "stdout stalled";

/** Keeps batches by writing them to standard output: one document a line, and nothing else. */
export class StdoutWriter implements DirectOutput {
  readonly #log: Log;
  readonly #onClosed: (error: Error) => void;
  readonly #writer: DescriptorWriter;
  readonly #stalledAfterMs: number;
  readonly #account: StdoutAccount;
  readonly #progressTimer: Timer;
  /** Why the last write failed; undefined after a write that succeeded. */
  #writeError: string | undefined;
  #isStalled = false;
  #isStopping = false;
  #isClosed = false;

  constructor(options: StdoutWriterOptions) {
    this.#log = options.log;
    this.#onClosed = options.onClosed;
    this.#writer = options.writer ?? createDescriptorWriter(1);
    this.#stalledAfterMs = options.stalledAfterMs ?? defaultStalledAfterMs;
    this.#account = new StdoutAccount(options.now ?? Date.now);
    this.#progressTimer = setInterval(() => this.#checkProgress(), this.#stalledAfterMs / 10);
  }

  problem(): string | undefined {
    if (this.#isStopping) return "shutting down";
    if (this.#isClosed) return "stdout closed";
    if (this.#isStalled) return stalledReason;
    return this.#writeError;
  }

  async keep(batch: EnrichedBatch): Promise<void> {
    // After a write error the next batch shows whether stdout works again.
    const reason = this.problem();
    if (reason !== undefined && reason !== this.#writeError) throw new CannotKeep(reason);
    if (batch.lines.length === 0) return;
    const { pendingBytes } = this.#writer;
    if (pendingBytes > 0 && pendingBytes + batch.lines.length > maxPendingBytes)
      throw new CannotKeep("stdout is read too slowly");
    const write = this.#account.begin(batch.eventCount);
    try {
      await this.#writer.write(batch.lines);
    } catch (error) {
      this.#account.end(write, false);
      throw error instanceof CannotKeep ? error : this.#noteError(error as NodeJS.ErrnoException);
    }
    this.#account.end(write, true);
    if (this.#writeError === undefined) return;
    this.#writeError = undefined;
    this.#noteRecovery("stdout can be written again; batches are accepted");
  }

  report(): OutputReport {
    return this.#account.report(this.#writer.pendingBytes);
  }

  async stop(maxWaitMs: number): Promise<void> {
    this.#isStopping = true;
    await Promise.race([this.#writer.idle(), Bun.sleep(maxWaitMs)]);
    clearInterval(this.#progressTimer);
    this.#writer.cancelWaiting(new CannotKeep("shutting down"));
  }

  /** A batch whose writing has begun will be written, so it keeps waiting. The others are refused. */
  #checkProgress(): void {
    const hasStalled = this.#writer.msWithoutProgress() > this.#stalledAfterMs;
    if (hasStalled) this.#writer.cancelWaiting(new CannotKeep(stalledReason));
    if (hasStalled === this.#isStalled) return;
    this.#isStalled = hasStalled;
    if (hasStalled) {
      this.#account.failed("timeout", `${stalledReason}: nobody reads it`);
      this.#log.error("stdout has stalled because nobody reads it; batches are refused until it is read");
    } else this.#noteRecovery("stdout is read again; batches are accepted");
  }

  #noteRecovery(message: string): void {
    if (!this.#isStalled && this.#writeError === undefined) this.#account.recovered();
    this.#log.info(message);
  }

  #noteError(error: NodeJS.ErrnoException): CannotKeep {
    const reason = `cannot write to stdout: ${error.code ?? error.message}`;
    this.#account.failed("disk", reason);
    if (!passingErrors.has(error.code ?? "") && !this.#isClosed) {
      this.#isClosed = true;
      this.#writer.cancelWaiting(new CannotKeep(reason));
      this.#onClosed(error);
    } else if (this.#writeError !== reason) {
      this.#log.error("cannot write to stdout; batches are refused until it works", { error: error.message });
    }
    this.#writeError = reason;
    return new CannotKeep(reason, { cause: error });
  }
}
