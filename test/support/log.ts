import type { Log, LogFields } from "../../server/telemetry/log.ts";

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  component: () => silentLog,
  flush: async () => {},
};

export interface LoggedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

export interface RecordingLog extends Log {
  readonly lines: LoggedLine[];
}

/** A log that records its lines for a test, those of all components together. */
export function recordingLog(): RecordingLog {
  const lines: LoggedLine[] = [];
  const at =
    (level: LoggedLine["level"]) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  const log: RecordingLog = {
    lines,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    component: () => log,
    flush: async () => {},
  };
  return log;
}
