import type { LogLevel } from "../config/config.ts";
import { createDescriptorWriter, type DescriptorWriter } from "../descriptor-writer.ts";
import { printable } from "../text/printable.ts";
import { truncate } from "../text/truncate.ts";

/** The values that a log line can carry. Strings may come from outside: they are escaped when the line is written. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log for one part of Loom. Its lines have the field `component` after their own fields. */
  component(name: string): Log;
  /** Resolves when every line is written, or after `maxWaitMs` if nothing reads stderr. */
  flush(maxWaitMs: number): Promise<void>;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "json" | "console";
  readonly writer?: DescriptorWriter;
  readonly now?: () => Date;
}

/** Beyond this, lines are dropped and counted: a stalled reader of stderr must not stop ingest or fill memory. */
const maxPendingBytes = 1024 * 1024;
const maxValueLength = 1024;

const severity: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A log to stderr: one line per entry, as a JSON object or as text for people. */
export function createLog(options: LogOptions): Log {
  const writer = options.writer ?? createDescriptorWriter(2);
  const now = options.now ?? (() => new Date());
  const render = options.format === "json" ? renderJson : renderConsole;
  let droppedLines = 0;

  function writeLine(level: LogLevel, message: string, fields: LogFields): void {
    const line = Buffer.from(render(now(), level, message, fields));
    // A write fails only when stderr is closed, and then there is nowhere left to report it.
    writer.write(line).catch(() => {});
  }

  function log(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (severity[level] < severity[options.level]) return;
    if (writer.pendingBytes > maxPendingBytes) {
      droppedLines++;
      return;
    }
    if (droppedLines > 0) {
      writeLine("warn", "log lines dropped while stderr was not read", { lines: droppedLines });
      droppedLines = 0;
    }
    writeLine(level, message, fields);
  }

  function logOf(component: string | undefined): Log {
    const own = component === undefined ? undefined : { component };
    return {
      debug: (message, fields) => log("debug", message, { ...fields, ...own }),
      info: (message, fields) => log("info", message, { ...fields, ...own }),
      warn: (message, fields) => log("warn", message, { ...fields, ...own }),
      error: (message, fields) => log("error", message, { ...fields, ...own }),
      component: logOf,
      flush: (maxWaitMs) => Promise.race([writer.idle(), Bun.sleep(maxWaitMs)]),
    };
  }

  return logOf(undefined);
}

function renderJson(time: Date, level: LogLevel, message: string, fields: LogFields): string {
  const line: Record<string, unknown> = { time: time.toISOString(), level, msg: cut(message) };
  for (const [key, value] of Object.entries(fields))
    line[key] = typeof value === "string" ? cut(value) : value;
  return `${printable(JSON.stringify(line))}\n`;
}

function renderConsole(time: Date, level: LogLevel, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${consoleValue(value)}`);
  const line = `${time.toISOString()} ${level.toUpperCase().padEnd(5)} ${cut(message)}${pairs.join("")}`;
  return `${printable(line)}\n`;
}

function consoleValue(value: LogFields[string]): string {
  if (typeof value !== "string") return String(value);
  const text = cut(value);
  return /^[^\s"=\\]+$/.test(text) ? text : JSON.stringify(text);
}

function cut(text: string): string {
  return truncate(text, maxValueLength);
}
