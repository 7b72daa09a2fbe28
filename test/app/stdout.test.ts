import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { maxTestMs, plainConfig, type RunningLoom, startExecutable } from "../support/executable.ts";
import { createPipe } from "../support/pipe.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

/** A sensor waits this long for its answer. */
const sensorTimeoutMs = 15_000;

const config = `${plainConfig}\n[limits]\nper_sensor_rps = -1\n`;

test("while the reader stalls, batches are refused, health checks answer and memory stays bounded; no event is lost or written twice", async () => {
  using pipe = createPipe();
  await using loom = await startExecutable({ config, stdout: pipe.writeEnd });
  pipe.closeWriter();
  const attack = startAttack(loom);
  await loom.logged("stdout has stalled because nobody reads it; batches are refused until it is read");
  await until("a batch is refused", () => attack.refused.length > 0);

  expect(await answerOf(loom, "/ready")).toEqual({ status: 503, body: "stdout stalled" });
  expect(await answerOf(loom, "/ready/ingest")).toEqual({ status: 503, body: "stdout stalled" });
  expect(await answerOf(loom, "/health")).toEqual({ status: 200, body: "ok" });
  // It was answered while stdout was stalled, not after.
  expect(await answerOf(loom, "/ready")).toEqual({ status: 503, body: "stdout stalled" });

  const refusedUpToNow = attack.refused.length;
  const memoryBefore = loom.memoryBytes();
  // About 100 MB more.
  await until("500 more refusals", () => attack.refused.length >= refusedUpToNow + 500, 30_000);
  expect(loom.memoryBytes() - memoryBefore).toBeLessThan(64 * 1024 * 1024);
  expect(Math.max(...attack.refusalMs)).toBeLessThan(sensorTimeoutMs);

  const output: Buffer[] = [];
  const readOn = () => output.push(pipe.readAvailable());
  await until("a batch is taken again", () => {
    readOn();
    return attack.kept.length > 1;
  });
  await until("the attack is over", () => {
    readOn();
    return attack.stop();
  });
  loom.signal("SIGTERM");
  await loom.exited;
  readOn();
  const lines = Buffer.concat(output).toString().split("\n");
  expect(lines.pop()).toBe("");
  const numbers = lines.map((line): number => JSON.parse(line).batch);
  expect(numbers.toSorted(ascending)).toEqual(attack.kept.toSorted(ascending));
  await loom.logged("stdout is read again; batches are accepted");
});

test("a pipe that is read slowly delivers every batch completely and in order", async () => {
  using pipe = createPipe();
  await using loom = await startExecutable({ config, stdout: pipe.writeEnd });
  pipe.closeWriter();
  const output: Buffer[] = [];
  for (let batch = 0; batch < 20; batch++) {
    const answer = send(loom.ingestUrl, bodyOf(batch));
    let status: number | undefined;
    void answer.then((known) => {
      status = known;
    });
    await until("the answer", () => {
      output.push(pipe.readAvailable());
      return status !== undefined;
    });
    expect(status).toBe(204);
  }
  output.push(pipe.readAvailable());
  const expected = Array.from({ length: 20 }, (_, batch) => `${bodyOf(batch).slice(1, -1)}\n`).join("");
  expect(Buffer.concat(output).toString() === expected).toBe(true);
});

test("Loom exits with status 1 and an error if the reader closes the pipe", async () => {
  using pipe = createPipe();
  await using loom = await startExecutable({ stdout: pipe.writeEnd });
  pipe.closeWriter();
  pipe.closeReader();
  const status = await send(loom.ingestUrl, '[{"a":1}]').catch(() => "connection closed");
  expect(status).not.toBe(204);
  expect(await loom.exited).toBe(1);
  expect((await loom.logged("stdout is closed; stopping"))[0]).toMatchObject({ level: "error" });
  expect(loom.stderrText()).toContain("EPIPE");
});

describe("a full disk under stdout", () => {
  test("makes Loom refuse batches and answer 503 to /ready, but not exit", async () => {
    const full = openSync("/dev/full", "w");
    await using loom = await startExecutable({ stdout: full });
    closeSync(full);
    expect(await send(loom.ingestUrl, '[{"a":1}]')).toBe(503);
    expect(await answerOf(loom, "/ready")).toEqual({ status: 503, body: "cannot write to stdout: ENOSPC" });
    expect(await answerOf(loom, "/health")).toEqual({ status: 200, body: "ok" });
    expect(await send(loom.ingestUrl, '[{"a":1}]')).toBe(503);
  });

  test("is logged once, not for every batch", async () => {
    const full = openSync("/dev/full", "w");
    await using loom = await startExecutable({ stdout: full });
    closeSync(full);
    for (let i = 0; i < 20; i++) await send(loom.ingestUrl, '[{"a":1}]');
    const errors = await loom.logged("cannot write to stdout; batches are refused until it works");
    expect(errors.length).toBe(1);
  });
});

interface Attack {
  /** Numbers of the batches answered 204. */
  readonly kept: readonly number[];
  readonly refused: readonly number[];
  /** How long each refusal took. */
  readonly refusalMs: readonly number[];
  /** Stops sending. @returns true when every batch is answered */
  stop(): boolean;
}

/** Eight clients that send large batches as fast as they are answered. */
function startAttack({ ingestUrl }: RunningLoom): Attack {
  const kept: number[] = [];
  const refused: number[] = [];
  const refusalMs: number[] = [];
  let isStopped = false;
  let running = 8;
  let next = 0;
  async function sendOn(): Promise<void> {
    while (!isStopped) {
      const batch = next++;
      const startedAt = performance.now();
      const status = await send(ingestUrl, bodyOf(batch));
      if (status === 204) kept.push(batch);
      else if (status === 503) {
        refused.push(batch);
        refusalMs.push(performance.now() - startedAt);
      } else throw new Error(`batch ${batch} was answered ${status}`);
    }
    running--;
  }
  for (let i = 0; i < 8; i++) void sendOn();
  return {
    kept,
    refused,
    refusalMs,
    stop() {
      isStopped = true;
      return running === 0;
    },
  };
}

/** One event larger than a pipe holds (64 KiB, pipe(7)), as large as two of the slices in which Loom writes. */
function bodyOf(batch: number): string {
  return `[{"batch":${batch},"event":{"summary":"${String(batch % 10).repeat(110_000)}"}}]`;
}

async function answerOf(loom: RunningLoom, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(loom.managementUrl + path);
  return { status: response.status, body: await response.text() };
}

function ascending(a: number, b: number): number {
  return a - b;
}
