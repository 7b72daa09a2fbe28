import { createDescriptorWriter, type DescriptorWriter } from "../../descriptor-writer.ts";
import { CannotKeep, type EnrichedBatch } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import type { DirectOutput } from "../output.ts";
import { createStdoutAccount } from "./stdout-report.ts";

export interface StdoutOutputOptions {
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

/** Keeps batches by writing them to standard output: one document a line, and nothing else. */
export function createStdoutOutput(options: StdoutOutputOptions): DirectOutput {
  const writer = options.writer ?? createDescriptorWriter(1);
  const stalledAfterMs = options.stalledAfterMs ?? defaultStalledAfterMs;
  const account = createStdoutAccount(options.now ?? Date.now);
  let writeError: string | undefined;
  let isStalled = false;
  let isStopping = false;
  let isClosed = false;
  const watch = setInterval(watchProgress, stalledAfterMs / 10);

  /** A batch whose writing has begun will be written, so it keeps waiting. The others are refused. */
  function watchProgress(): void {
    const hasStalled = writer.msWithoutProgress() > stalledAfterMs;
    if (hasStalled) writer.cancelWaiting(new CannotKeep(stalledReason));
    if (hasStalled === isStalled) return;
    isStalled = hasStalled;
    if (isStalled) {
      account.failed("timeout", `${stalledReason}: nobody reads it`);
      options.log.error("stdout has stalled because nobody reads it; batches are refused until it is read");
    } else recovered("stdout is read again; batches are accepted");
  }

  function problem(): string | undefined {
    if (isStopping) return "shutting down";
    if (isClosed) return "stdout closed";
    if (isStalled) return stalledReason;
    return writeError;
  }

  async function keep(batch: EnrichedBatch): Promise<void> {
    // After a write error the next batch shows whether stdout works again.
    const reason = problem();
    if (reason !== undefined && reason !== writeError) throw new CannotKeep(reason);
    if (batch.lines.length === 0) return;
    if (writer.pendingBytes > 0 && writer.pendingBytes + batch.lines.length > maxPendingBytes)
      throw new CannotKeep("stdout is read too slowly");
    const write = account.begin(batch.eventCount);
    try {
      await writer.write(batch.lines);
    } catch (error) {
      account.end(write, false);
      throw error instanceof CannotKeep ? error : failed(error as NodeJS.ErrnoException);
    }
    account.end(write, true);
    if (writeError !== undefined) {
      writeError = undefined;
      recovered("stdout can be written again; batches are accepted");
    }
  }

  function recovered(message: string): void {
    if (!isStalled && writeError === undefined) account.recovered();
    options.log.info(message);
  }

  function failed(error: NodeJS.ErrnoException): CannotKeep {
    const reason = `cannot write to stdout: ${error.code ?? error.message}`;
    account.failed("disk", reason);
    if (!passingErrors.has(error.code ?? "") && !isClosed) {
      isClosed = true;
      writer.cancelWaiting(new CannotKeep(reason));
      options.onClosed(error);
    } else if (writeError !== reason) {
      options.log.error("cannot write to stdout; batches are refused until it works", {
        error: error.message,
      });
    }
    writeError = reason;
    return new CannotKeep(reason, { cause: error });
  }

  return {
    keep,
    problem,
    report: () => account.report(writer.pendingBytes),
    async stop(maxWaitMs) {
      isStopping = true;
      await Promise.race([writer.idle(), Bun.sleep(maxWaitMs)]);
      clearInterval(watch);
      writer.cancelWaiting(new CannotKeep("shutting down"));
    },
  };
}

const stalledReason = "stdout stalled";
