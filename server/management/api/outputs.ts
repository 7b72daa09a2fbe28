import { Elysia } from "elysia";
import type { OutboxReport, OutputReport } from "../../outputs/output-report.ts";
import { outputTitle } from "../../outputs/registry.ts";
import type { OutboxAnswer, OutputAnswer, OutputsAnswer, Series } from "./answers.ts";
import { jsonAnswer } from "./json-answer.ts";
import { outputWords } from "./output-words.ts";

/** What an output delivered over time. */
export interface DeliveryHistory {
  readonly perSecondLastMinute: number;
  readonly lastHour: Series;
}

export interface OutputAnswersOptions {
  readonly reports: () => readonly OutputReport[];
  readonly history: (output: string) => DeliveryHistory;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Returns a function that tells of every output, as it is at the call. */
export function createOutputAnswers(options: OutputAnswersOptions): () => readonly OutputAnswer[] {
  const { reports, history, now = Date.now } = options;
  return () => reports().map((report) => outputAnswer(report, history(report.output), now()));
}

export interface OutputsApiOptions {
  /** See createOutputAnswers. */
  readonly outputs: () => readonly OutputAnswer[];
  /** undefined: stdout alone needs none. */
  readonly outbox: (() => OutboxReport) | undefined;
  readonly now?: () => number;
}

/** `GET /api/v1/outputs` */
export function createOutputsApi({ outputs, outbox, now = Date.now }: OutputsApiOptions) {
  return new Elysia({ strictPath: true }).get("/api/v1/outputs", () => {
    const answer: OutputsAnswer = {
      now: now(),
      outputs: outputs(),
      outbox: outbox ? outboxAnswer(outbox()) : null,
    };
    return jsonAnswer(answer);
  });
}

export function outboxAnswer({ sizeBytes, maxBytes, segments, damagedEvents }: OutboxReport): OutboxAnswer {
  return { bytes: sizeBytes, maxBytes, segments, damagedEvents };
}

function outputAnswer(report: OutputReport, history: DeliveryHistory, now: number): OutputAnswer {
  const { keptEvents, deliveredEvents, deadEvents, droppedEvents, retries, deadLetters } = report;
  return {
    name: report.output,
    title: outputTitle(report.output),
    state: report.state,
    words: outputWords(report, now),
    since: report.since,
    nextTryAt: report.nextTryAt ?? null,
    failures: report.failures,
    deliveredPerSecond: history.perSecondLastMinute,
    history: history.lastHour,
    keptEvents,
    deliveredEvents,
    deadEvents,
    droppedEvents,
    retries,
    waiting: {
      events: report.waitingEvents,
      bytes: report.waitingBytes,
      oldestAt: report.oldestReceivedAt ?? null,
    },
    lastDeliveredAt: report.lastDeliveredAt ?? null,
    lastError: report.lastError ?? null,
    deadLetters,
  };
}
