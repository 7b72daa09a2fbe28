import type { Config, OutputType } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { KeepBatch } from "../pipeline.ts";
import type { Log } from "../telemetry/log.ts";
import { createClickhouseOutput } from "./clickhouse/output.ts";
import type { DeadLetterDesk } from "./dead-letters/admin.ts";
import type { AttemptObservation } from "./delivery/batch-sender.ts";
import { startDurableOutputs } from "./delivery/durable-outputs.ts";
import { createElasticsearchOutput } from "./elasticsearch/output.ts";
import type { Output } from "./output.ts";
import type { OutboxReport, OutputReport } from "./output-report.ts";
import { createStdoutDelivery } from "./stdout/output.ts";
import { createStdoutOutput } from "./stdout/stdout-writer.ts";

/** Where batches are kept, whatever is behind it. */
export interface Outputs {
  readonly keep: KeepBatch;
  /** Why no batch can be kept, or soon can't. */
  ingestProblem(): string | undefined;
  /** The same, or why an output can't be used. */
  problem(): string | undefined;
  /** Of every output, stdout alone too. */
  reports(): readonly OutputReport[];
  /** For `/metrics`; undefined where nothing is behind an outbox: then what sensors' events were kept is all there is. */
  readonly ledger: { reports(): OutputReport[]; outbox(): OutboxReport } | undefined;
  /** undefined: there is no such output. */
  deadLetters(output: string): DeadLetterDesk | undefined;
  stop(maxWaitMs: number): Promise<void>;
}

export interface OutputsOptions {
  readonly log: Log;
  /** Called once when the reader of stdout is gone. */
  readonly onStdoutClosed: (error: Error) => void;
  readonly onAttempt: (output: string, attempt: AttemptObservation) => void;
}

/** stdout alone needs no outbox: written is kept. */
function needsOutbox({ types }: Config["output"]): boolean {
  return types.some((type) => type !== "stdout");
}

/** Starts the configured outputs. @throws Error for one that can't be had, or an outbox that can't be used. */
export async function startOutputs(config: Config["output"], options: OutputsOptions): Promise<Outputs> {
  const { log, onStdoutClosed } = options;
  const stdout = config.types.includes("stdout")
    ? createStdoutOutput({ log, onClosed: onStdoutClosed })
    : undefined;
  if (!needsOutbox(config) && stdout)
    return {
      ...stdout,
      ingestProblem: stdout.problem,
      reports: () => [stdout.report()],
      ledger: undefined,
      deadLetters: (output) => (output === "stdout" ? noDeadLetters : undefined),
    };

  function createOutput(type: OutputType): Output {
    switch (type) {
      case "stdout":
        if (!stdout) throw new Error("BUG: stdout is not among the outputs");
        return createStdoutDelivery(stdout);
      case "clickhouse":
        return createClickhouseOutput({
          ...config.clickhouse,
          createTable: config.clickhouse.isTableCreated,
          log,
        });
      case "elasticsearch":
        return createElasticsearchOutput({
          ...config.elasticsearch,
          installTemplate: config.elasticsearch.isTemplateInstalled,
          log,
        });
      case "kafka":
        throw new ConfigError(
          'config: output: type "kafka" is not built; this version has "stdout", "clickhouse" and "elasticsearch"',
        );
    }
  }

  const { outbox } = config;
  const durable = await startDurableOutputs({
    outbox,
    limits: {
      maxEvents: outbox.maxBatchSize,
      flushIntervalMs: outbox.flushIntervalMs,
      retryBackoffMs: outbox.retryBackoffMs,
      retryMaxBackoffMs: outbox.retryMaxBackoffMs,
    },
    outputs: config.types.map(createOutput),
    log,
    onAttempt: options.onAttempt,
  });
  return {
    keep: durable.keep,
    ingestProblem: durable.ingestProblem,
    problem: () => durable.problem() ?? stdout?.problem(),
    reports: durable.reports,
    ledger: { reports: durable.reports, outbox: durable.outboxReport },
    deadLetters: durable.deadLetters,
    async stop(maxWaitMs) {
      await durable.stop(maxWaitMs);
      await stdout?.stop(0);
    },
  };
}

/** stdout refuses nothing for good. */
const noDeadLetters: DeadLetterDesk = {
  list: async () => ({ total: 0, letters: [], next: undefined }),
  read: async () => undefined,
  requestRetry: async () => 0,
};
