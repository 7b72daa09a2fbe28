import { describe, expect, test } from "bun:test";
import type { DescriptorWriter } from "../../server/descriptor-writer.ts";
import { createLog, type LogOptions } from "../../server/telemetry/log.ts";

const now = () => new Date("2026-11-22T10:00:00.000Z");

function logTo(options: Partial<LogOptions> = {}) {
  let text = "";
  const writer = {
    async write(bytes: Buffer) {
      text += bytes.toString();
    },
    cancelWaiting() {},
    idle: async () => {},
    pendingBytes: 0,
    msWithoutProgress: () => 0,
  } satisfies DescriptorWriter;
  return {
    writer,
    log: createLog({ level: "info", format: "console", writer, now, ...options }),
    text: () => text,
  };
}

describe("console", () => {
  test("a line is time, level, message and fields", () => {
    const { log, text } = logTo();
    log.info("ingest server listening (no TLS)", {
      addr: ":8080",
      tries: 2,
      secure: false,
      nothing: undefined,
    });
    expect(text()).toBe(
      "2026-11-22T10:00:00.000Z INFO  ingest server listening (no TLS) addr=:8080 tries=2 secure=false\n",
    );
  });

  test("a value with blanks or quotes is quoted", () => {
    const { log, text } = logTo();
    log.warn("x", { a: "two words", b: 'say "hi"', c: "" });
    expect(text()).toContain(String.raw`x a="two words" b="say \"hi\"" c=""`);
  });
});

test("a line of a component names it after its own fields", () => {
  const { log, text } = logTo();
  log.component("outbox").info("segment removed", { path: "1.seg" });
  expect(text()).toContain("segment removed path=1.seg component=outbox\n");
});

describe("json", () => {
  test("a line is an object with time, level, msg and fields", () => {
    const { log, text } = logTo({ format: "json" });
    log.error("failed", { addr: ":8080", tries: 2 });
    expect(JSON.parse(text())).toEqual({
      time: "2026-11-22T10:00:00.000Z",
      level: "error",
      msg: "failed",
      addr: ":8080",
      tries: 2,
    });
  });
});

test("levels below the configured one are not written", () => {
  const { log, text } = logTo({ level: "warn" });
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(text().match(/ (c|d)\n/g)).toEqual([" c\n", " d\n"]);
  expect(text()).not.toMatch(/ (a|b)\n/);
});

describe("text from outside cannot forge or hide a line", () => {
  const hostile = "a\nb\r\u001b[31m\u0000\u007f\u009b31m\u2028\u202e\u2066end";
  for (const format of ["console", "json"] as const)
    test(format, () => {
      const { log, text } = logTo({ format });
      log.info(`message ${hostile}`, { field: hostile });
      expect(text().endsWith("\n")).toBe(true);
      expect(text().slice(0, -1)).toMatch(/^[\x20-\x7e]+$/);
      expect(text()).toContain("\\u001b[31m");
    });

  for (const format of ["console", "json"] as const)
    test(`a long message or value is cut (${format})`, () => {
      const { log, text } = logTo({ format });
      log.info("x".repeat(1_000_000), { field: "y".repeat(1_000_000) });
      expect(
        text()
          .match(/x+|y+/g)
          ?.map(({ length }) => length),
      ).toEqual([1024, 1024]);
    });
});

describe("while nothing reads stderr", () => {
  test("lines are dropped and counted", () => {
    const { log, text, writer } = logTo();
    writer.pendingBytes = 10 * 1024 * 1024;
    for (let i = 0; i < 5; i++) log.info("lost");
    expect(text()).toBe("");
    writer.pendingBytes = 0;
    log.info("found");
    expect(text()).toMatch(/WARN {2}log lines dropped while stderr was not read lines=5\n.*INFO {2}found\n$/);
  });

  test("each dropped line is reported once", () => {
    const { log, text, writer } = logTo();
    for (const message of ["first", "second"]) {
      writer.pendingBytes = 10 * 1024 * 1024;
      log.info("lost");
      writer.pendingBytes = 0;
      log.info(message);
      log.info("more");
    }
    expect(text().match(/lines=\d+/g)).toEqual(["lines=1", "lines=1"]);
  });

  test("one mebibyte may wait to be written", () => {
    const { log, text, writer } = logTo();
    writer.pendingBytes = 1024 * 1024;
    log.info("written");
    writer.pendingBytes++;
    log.info("lost");
    expect(text()).toMatch(/INFO {2}written\n$/);
  });
});

test("a component of a component has one name", () => {
  const { log, text } = logTo();
  log.component("outbox").component("reader").info("x");
  expect(text()).toEndWith("x component=reader\n");
});
