import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { KeepBatch } from "../pipeline.ts";
import type { Log } from "../telemetry/log.ts";
import type { MetricRegistry } from "../telemetry/metric-registry.ts";
import type { DeadLetterAdmin } from "./dead-letters/admin.ts";
import type { AttemptObservation } from "./delivery/batch-sender.ts";
import { DurableOutputs } from "./delivery/durable-outputs.ts";
import type { ConfiguredOutput } from "./descriptor.ts";
import type { DirectOutput } from "./output.ts";
import type { OutboxReport, OutputReport } from "./output-report.ts";
import { outputDescriptors } from "./registry.ts";

/** The configured outputs, as the other stages use them. */
export interface Outputs {
  readonly keep: KeepBatch;
  /** Why no batch can be kept now or soon; undefined: batches are kept. */
  ingestProblem(): string | undefined;
  /** The same, or why an output cannot be used. */
  problem(): string | undefined;
  /** One report for each output. */
  reports(): readonly OutputReport[];
  /** For `/metrics`; undefined without an outbox, because the metrics of ingest then count all that is kept. */
  readonly ledger: { reports(): OutputReport[]; outbox(): OutboxReport } | undefined;
  /** Declares the metrics that outputs have beside those of every output. */
  declareMetrics(metrics: MetricRegistry): void;
  /** undefined: there is no such output. */
  deadLetters(output: string): DeadLetterAdmin | undefined;
  stop(maxWaitMs: number): Promise<void>;
}

export interface OutputsOptions {
  readonly log: Log;
  /** Called once when an output can never be used again: the reader of stdout is gone. */
  readonly onFatal: (error: Error) => void;
  readonly onAttempt: (output: string, attempt: AttemptObservation) => void;
}

type OutputsConfig = Config<ConfiguredOutput>["output"];

/**
 * Starts the configured outputs.
 * @throws ConfigError for an output that this version does not have
 * @throws Error when an output or the outbox cannot be used
 */
export async function startOutputs(config: OutputsConfig, options: OutputsOptions): Promise<Outputs> {
  const { log, onFatal } = options;
  for (const { name, isBuilt } of config.outputs) if (!isBuilt) throw notBuilt(name);
  const outputs = await Promise.all(config.outputs.map(({ create }) => create({ log, onFatal })));
  const [first] = outputs;
  if (outputs.length === 1 && first?.direct) return directOutputs(first.name, first.direct);

  const { outbox } = config;
  const durable = await DurableOutputs.start({
    outbox,
    limits: {
      maxEvents: outbox.maxBatchSize,
      flushIntervalMs: outbox.flushIntervalMs,
      retryBackoffMs: outbox.retryBackoffMs,
      retryMaxBackoffMs: outbox.retryMaxBackoffMs,
    },
    outputs,
    log,
    onAttempt: options.onAttempt,
  });
  return {
    keep: (batch) => durable.keep(batch),
    ingestProblem: () => durable.ingestProblem(),
    problem: () => durable.problem() ?? outputs.map(({ direct }) => direct?.problem()).find(Boolean),
    reports: () => durable.reports(),
    ledger: { reports: () => durable.reports(), outbox: () => durable.outboxReport() },
    declareMetrics(metrics) {
      for (const output of outputs) output.declareMetrics?.(metrics);
    },
    deadLetters: (output) => durable.deadLetters(output),
    async stop(maxWaitMs) {
      await durable.stop(maxWaitMs);
      for (const { direct } of outputs) await direct?.stop(0);
    },
  };
}

/** An output that keeps events itself, as the only one. */
function directOutputs(name: string, direct: DirectOutput): Outputs {
  return {
    keep: (batch) => direct.keep(batch),
    ingestProblem: () => direct.problem(),
    problem: () => direct.problem(),
    reports: () => [direct.report()],
    ledger: undefined,
    declareMetrics() {},
    deadLetters: (output) => (output === name ? noDeadLetters : undefined),
    stop: (maxWaitMs) => direct.stop(maxWaitMs),
  };
}

function notBuilt(name: string): ConfigError {
  const built = outputDescriptors.filter(({ isBuilt }) => isBuilt).map((output) => `"${output.name}"`);
  const list = `${built.slice(0, -1).join(", ")} and ${built.at(-1)}`;
  return new ConfigError(`config: output: type "${name}" is not implemented; this version has ${list}`);
}

/** An output that keeps events itself does not reject any. */
const noDeadLetters: DeadLetterAdmin = {
  list: async () => ({ total: 0, records: [], next: undefined }),
  read: async () => undefined,
  requestRetry: async () => 0,
};
