import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  DeadLetterAnswer,
  DeadLettersAnswer,
  OutputAnswer,
  OutputsAnswer,
} from "../../../server/management/api/answers.ts";
import { createDeadLettersApi } from "../../../server/management/api/dead-letters.ts";
import { createOutputAnswers, createOutputsApi } from "../../../server/management/api/outputs.ts";
import { DurableOutputs } from "../../../server/outputs/delivery/durable-outputs.ts";
import { createElasticsearchOutput } from "../../../server/outputs/elasticsearch/output.ts";
import { StdoutWriter } from "../../../server/outputs/stdout/stdout-writer.ts";
import { type FaultyElasticsearch, startFaultyElasticsearch } from "../../support/faulty-outputs.ts";
import { silentLog } from "../../support/log.ts";
import { until } from "../../support/until.ts";

const history = {
  perSecondLastMinute: 2.5,
  lastHour: { startAt: 0, stepMs: 10_000, values: [null, 3], pauses: [] },
};

describe("with stdout as the only output", () => {
  test("the answer has one output and no outbox", async () => {
    const stdout = new StdoutWriter({ log: silentLog, onClosed: () => {} });
    const outputs = createOutputAnswers({ reports: () => [stdout.report()], history: () => history });
    const api = createOutputsApi({ outputs, outbox: undefined, now: () => 5 });
    const answer = await answerOf<OutputsAnswer>(api, "");
    await stdout.stop(0);
    expect(answer).toEqual({
      now: 5,
      outputs: [
        {
          name: "stdout",
          title: "stdout",
          state: "idle",
          words: "idle: no events are pending",
          since: expect.any(Number),
          nextTryAt: null,
          failures: 0,
          deliveredPerSecond: 2.5,
          history: history.lastHour,
          keptEvents: 0,
          deliveredEvents: 0,
          deadEvents: 0,
          droppedEvents: 0,
          retries: 0,
          waiting: { events: 0, bytes: 0, oldestAt: null },
          lastDeliveredAt: null,
          lastError: null,
          deadLetters: 0,
        },
      ],
      outbox: null,
    });
  });
});

interface Api {
  handle(request: Request): Response | Promise<Response>;
}

async function answerOf<Answer>(api: Api, path: string, init?: RequestInit): Promise<Answer> {
  const response = await api.handle(new Request(`http://loom.example/api/v1/outputs${path}`, init));
  return JSON.parse(await response.text());
}

describe("with Elasticsearch behind the outbox", () => {
  let dir: string;
  let server: FaultyElasticsearch;
  let outputs: DurableOutputs;
  let outputsApi: Api;
  let deadLettersApi: Api;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "loom-outputs-"));
    server = await startFaultyElasticsearch();
    const elasticsearch = createElasticsearchOutput({
      url: [server.url],
      index: "loom-events",
      user: "loom",
      pass: "hunter2secret",
      apiKey: undefined,
      certificateAuthorities: undefined,
      installTemplate: false,
      log: silentLog,
    });
    outputs = await DurableOutputs.start({
      outbox: { dir, maxBytes: 1024 * 1024, onFull: "reject" },
      limits: { maxEvents: 100, flushIntervalMs: 20, retryBackoffMs: 10, retryMaxBackoffMs: 20 },
      outputs: [elasticsearch],
      log: silentLog,
      onAttempt: () => {},
    });
    outputsApi = createOutputsApi({
      outputs: createOutputAnswers({ reports: () => outputs.reports(), history: () => history }),
      outbox: () => outputs.outboxReport(),
    });
    deadLettersApi = createDeadLettersApi({
      deadLetters: (output) => outputs.deadLetters(output),
      onError: (error) => {
        throw error;
      },
    });
  });

  afterEach(async () => {
    await outputs.stop(0);
    await server[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });

  function keep(...documents: readonly string[]): Promise<void> {
    const lines = Buffer.from(documents.map((document) => `${document}\n`).join(""));
    return outputs.keep({ sensorId: "vps-1", eventCount: documents.length, lines });
  }

  async function stateOf(): Promise<OutputAnswer> {
    const { outputs: answers } = await answerOf<OutputsAnswer>(outputsApi, "");
    const [output] = answers;
    if (!output) throw new Error("no output");
    return output;
  }

  const outputWhen = (what: string, isSo: (output: OutputAnswer) => boolean) =>
    until(what, async () => {
      const output = await stateOf();
      return isSo(output) && output;
    });

  const deadLettersNow = () => answerOf<DeadLettersAnswer>(deadLettersApi, "/elasticsearch/dead-letters");

  test("an unreachable output has the time since when, the reason and the next attempt, until it is reachable", async () => {
    await server.goAway();
    await keep('{"a":1}', '{"a":2}');
    const away = await outputWhen("a second failure", ({ failures }) => failures > 1);
    expect(away).toMatchObject({
      title: "Elasticsearch",
      state: "retrying",
      keptEvents: 2,
      deliveredEvents: 0,
      waiting: { events: 2, oldestAt: expect.any(Number) },
      lastError: { class: "retry", reason: `${server.url}: no answer: ECONNREFUSED`, at: expect.any(Number) },
      lastDeliveredAt: null,
    });
    expect(away.words).toMatch(
      /^failing for \d+ s: http:\S+: no answer: connection refused; (next attempt in 1 s|attempt in progress)$/,
    );
    await server.comeBack();
    const back = await outputWhen("it is delivered", ({ deliveredEvents }) => deliveredEvents === 2);
    expect(back).toMatchObject({
      keptEvents: 2,
      waiting: { events: 0, bytes: 0, oldestAt: null },
      lastDeliveredAt: expect.any(Number),
      lastError: { class: "retry" },
    });
    expect((await outputWhen("it is idle", ({ state }) => state === "idle")).words).toBe(
      "idle: no events are pending",
    );
  });

  test("a blocked output says what has to be fixed, and never shows a password", async () => {
    server.statusFor = () => 401;
    server.reasonFor = () => "no user with the password hunter2secret";
    await keep('{"a":1}');
    const held = await outputWhen("it holds", ({ state }) => state === "holding");
    expect(held.lastError).toMatchObject({
      class: "hold",
      reason: "HTTP 401 some_exception: no user with the password ***",
    });
    expect(held.words).toMatch(
      /^blocked for \d+ s: HTTP 401 some_exception: no user with the password \*\*\*; (next attempt|attempt in)/,
    );
    expect(JSON.stringify(held)).not.toContain("hunter2");
  });

  test("the answer says how full the outbox is", async () => {
    await server.goAway();
    await keep('{"a":1}');
    const { outbox } = await answerOf<OutputsAnswer>(outputsApi, "");
    expect(outbox).toEqual({
      bytes: expect.any(Number),
      maxBytes: 1024 * 1024,
      segments: 1,
      damagedEvents: 0,
    });
  });

  test("a dead letter is listed, read, retried on request, delivered and gone", async () => {
    server.statusFor = (document) => (document.includes("poison") ? 400 : 201);
    await keep('{"a":1}', '{"poison":1}', '{"a":2}');
    await outputWhen("the dead letter", ({ deadLetters }) => deadLetters === 1);
    const { total, records } = await deadLettersNow();
    expect(total).toBe(1);
    expect(records).toMatchObject([
      {
        sequence: 2,
        sensorId: "vps-1",
        reason: "HTTP 400 some_exception: answered with 400",
        document: '{"poison":1}',
      },
    ]);
    const record = await answerOf<DeadLetterAnswer>(deadLettersApi, "/elasticsearch/dead-letters/2");
    expect(record).toEqual(records[0] ?? record);

    server.statusFor = () => 201;
    const askedAt = performance.now();
    const init = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"sequences":[2]}',
    };
    expect(await answerOf<unknown>(deadLettersApi, "/elasticsearch/dead-letters/retry", init)).toEqual({
      requested: 1,
    });
    await outputWhen("it is gone", ({ deadLetters }) => deadLetters === 0);
    expect(performance.now() - askedAt).toBeLessThan(1500);
    expect(server.documents()).toEqual(['{"a":1}', '{"poison":1}', '{"a":2}']);
    expect(await deadLettersNow()).toEqual({ output: "elasticsearch", total: 0, records: [], next: null });
  });

  test("a dead letter that is rejected again stays, with the new reason, and without a pending retry", async () => {
    server.statusFor = () => 400;
    await keep('{"poison":1}');
    await outputWhen("the dead letter", ({ deadLetters }) => deadLetters === 1);
    server.reasonFor = () => "still bad";
    await outputs.deadLetters("elasticsearch")?.requestRetry("all");
    const [record] = await until("the new reason", async () => {
      const { records } = await deadLettersNow();
      return records[0]?.reason.endsWith("still bad") && !records[0].isRetryPending && records;
    });
    expect(record).toMatchObject({ sequence: 1, reason: "HTTP 400 some_exception: still bad" });
  });

  test("a hostile reason and document are bounded JSON strings", async () => {
    const hostile = "<script>alert(1)</script>\u001b[31m\u0000\u202e";
    const document = JSON.stringify({ poison: hostile, long: "x".repeat(100_000) });
    server.statusFor = () => 400;
    server.reasonFor = () => hostile + "r".repeat(100_000);
    await keep(document);
    await outputWhen("the dead letter", ({ deadLetters }) => deadLetters === 1);
    const [record] = (await deadLettersNow()).records;
    expect(record?.document).toBe(document.slice(0, 300));
    expect(record?.reason).toStartWith(
      "HTTP 400 some_exception: <script>alert(1)</script>\\u001b[31m\\u0000\\u202errr",
    );
    expect(record?.reason.length).toBeLessThan(1000);
    const { lastError, words } = await stateOf();
    expect(lastError?.reason.length).toBeLessThan(1100);
    expect(words).not.toMatch(/[\u0000-\u001f\u202e]/);
  });
});
