import { createDescriptorWriter, type DescriptorWriter } from "../../descriptor-writer.ts";
import { CannotKeep, type EnrichedBatch } from "../../pipeline.ts";
import type { Log } from "../../telemetry/log.ts";
import type { OutputReport } from "../output-report.ts";
import { createStdoutAccount } from "./stdout-report.ts";

export interface StdoutOutputOptions {
  readonly log: Log;
  /** Called once when nothing can be written any more: the reader is gone. */
  readonly onClosed: (error: Error) => void;
  readonly writer?: DescriptorWriter;
  readonly stalledAfterMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface StdoutOutput {
  /** Resolves when the batch is written; rejects with CannotKeep when it is not, and will not be. */
  keep(batch: EnrichedBatch): Promise<void>;
  /** Why nothing can be kept now; undefined: all is well. */
  problem(): string | undefined;
  /** Where nothing is behind an outbox: what was written counts as kept and delivered. */
  report(): OutputReport;
  /** Refuses what has not begun to be written and waits for what has. */
  stop(maxWaitMs: number): Promise<void>;
}

/**
 * Without progress for this long the reader counts as stalled: shorter than the 15 s that a sensor waits for its
 * answer. Slices are 256 KiB to a slow reader, so that one of 52 KB/s still counts as alive, and 1 MiB to a fast one.
 */
const defaultStalledAfterMs = 5_000;
/** Batches waiting for the reader; past this they are refused at once. */
const maxPendingBytes = 32 * 1024 * 1024;
/** Errors of a descriptor that can take bytes again later. */
const passingErrors = new Set(["ENOSPC", "EDQUOT", "EFBIG", "EIO", "ENOMEM"]);

/** Standard output as the place where batches are kept: one document a line and nothing else. */
export function createStdoutOutput(options: StdoutOutputOptions): StdoutOutput {
  const writer = options.writer ?? createDescriptorWriter(1);
  const stalledAfterMs = options.stalledAfterMs ?? defaultStalledAfterMs;
  const account = createStdoutAccount(options.now ?? Date.now);
  let writeError: string | undefined;
  let isStalled = false;
  let isStopping = false;
  let isClosed = false;
  const watch = setInterval(watchProgress, stalledAfterMs / 10);

  /** A batch that has begun to be written will come out, so it goes on waiting; the others are refused. */
  function watchProgress(): void {
    const hasStalled = writer.msWithoutProgress() > stalledAfterMs;
    if (hasStalled) writer.cancelWaiting(new CannotKeep(stalledReason));
    if (hasStalled === isStalled) return;
    isStalled = hasStalled;
    if (isStalled) {
      account.failed("timeout", `${stalledReason}: nobody reads it`);
      options.log.error("stdout stalled: nobody reads it; refusing batches until it moves again");
    } else recovered("stdout moves again; taking batches");
  }

  function problem(): string | undefined {
    if (isStopping) return "shutting down";
    if (isClosed) return "stdout closed";
    if (isStalled) return stalledReason;
    return writeError;
  }

  async function keep(batch: EnrichedBatch): Promise<void> {
    // After a write error the next batch is the trial that shows whether it has passed.
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
      recovered("stdout takes batches again");
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
      options.log.error("cannot write to stdout; refusing batches until it works again", {
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
