import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { maxTestMs, plainConfig, type RunningLoom, startExecutable } from "../support/executable.ts";
import { startFaultyElasticsearch } from "../support/faulty-outputs.ts";
import { readMetrics, untilDrained } from "../support/metrics.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

/** Longer than any wait of this file. */
const hangMs = 120_000;
const maxStopMs = 10_000;
const stalledReason = "outbox: the disk has not responded for 5 s";

const config = `${plainConfig}
[output]
type = "elasticsearch"
elasticsearch_url = "http://127.0.0.1:9"
[output.outbox]
dir = "outbox"
`;

/** strace makes each `fdatasync` of the process hang. It needs a kernel and a user that allow ptrace. */
const canInject =
  process.getuid?.() === 0 &&
  Bun.which("strace") !== null &&
  Bun.spawnSync(["strace", "-e", "trace=none", "true"]).success;
if (!canInject) console.log("skipped: no strace, or not root; the disk of the executable does not hang");

/** Makes the disk hang, until the returned object is disposed. */
async function hangDisk({ pid }: RunningLoom): Promise<AsyncDisposable> {
  const delay = `fdatasync:delay_enter=${hangMs * 1000}`;
  const strace = Bun.spawn(
    ["strace", "-f", "-p", String(pid), "-o", "/dev/null", "-e", "trace=fdatasync", "--inject", delay],
    { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  await until("every thread of Loom is traced", () => threadStates(pid).every(({ tracer }) => tracer !== 0));
  return {
    async [Symbol.asyncDispose]() {
      // The kernel lets the threads of a tracer that is killed continue.
      strace.kill("SIGKILL");
      await strace.exited;
    },
  };
}

function threadStates(pid: number): { readonly tracer: number }[] {
  const glob = new Bun.Glob("*/status");
  return [...glob.scanSync({ cwd: `/proc/${pid}/task`, onlyFiles: false })].map((path) => {
    const status = readFileSync(`/proc/${pid}/task/${path}`, "utf8");
    return { tracer: Number(/^TracerPid:\s+(\d+)$/m.exec(status)?.[1]) };
  });
}

/** Whether the process has called exit. Its threads that hang in the kernel keep it from going away. */
function hasExited(pid: number): boolean {
  return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

async function answerOf(url: string): Promise<readonly [number, string]> {
  const response = await fetch(url);
  return [response.status, await response.text()];
}

test
  .skipIf(!canInject)
  .concurrent("a disk that hangs turns ingest red, and Loom resumes when it responds", async () => {
    await using loom = await startExecutable({ config });
    let first: Promise<number> | undefined;
    {
      await using _hang = await hangDisk(loom);
      first = send(loom.ingestUrl, '[{"sent":"into the hanging sync"}]');
      const ready = `${loom.managementUrl}/ready/ingest`;
      await until("ingest is not ready", async () => (await answerOf(ready))[0] === 503);
      expect(await answerOf(ready)).toEqual([503, stalledReason]);
      expect(await answerOf(`${loom.managementUrl}/ready`)).toEqual([503, stalledReason]);
      expect(await send(loom.ingestUrl, '[{"sent":"while the disk hangs"}]')).toBe(503);
    }
    expect(await first).toBe(204);
    expect(await answerOf(`${loom.managementUrl}/ready/ingest`)).toEqual([200, "ok"]);
    expect(await send(loom.ingestUrl, '[{"sent":"after it"}]')).toBe(204);
  });

test.skipIf(!canInject).concurrent("a stop ends within 10 s while the disk hangs", async () => {
  await using loom = await startExecutable({ config });
  {
    await using _hang = await hangDisk(loom);
    const answer = send(loom.ingestUrl, '[{"sent":"into the hanging sync"}]').catch(() => "no answer");
    await until("ingest is not ready", async () => {
      return (await answerOf(`${loom.managementUrl}/ready/ingest`))[0] === 503;
    });
    const startedAt = performance.now();
    loom.signal("SIGTERM");
    await until("Loom exits", () => hasExited(loom.pid), 2 * maxStopMs);
    expect(performance.now() - startedAt).toBeLessThan(maxStopMs);
    expect(await answer).toBe("no answer");
  }
  expect(await loom.exited).toBe(0);
});

test
  .skipIf(!canInject)
  .concurrent("a hanging write and a hanging cursor leave the log and the other files usable", async () => {
    await using output = await startFaultyElasticsearch();
    output.fault = () => "unavailable";
    const cursorConfig = config
      .replace('elasticsearch_url = "http://127.0.0.1:9"', output.config)
      .concat("flush_interval_ms = 20\nretry_backoff_ms = 10\nretry_max_backoff_ms = 100\n");
    await using loom = await startExecutable({ config: cursorConfig });
    expect(await send(loom.ingestUrl, '[{"sent":"before"}]')).toBe(204);
    await until("the batch is sent again", async () => {
      return (await readMetrics(loom.managementUrl)).sum("loom_output_retries_total") > 0;
    });
    let answer: Promise<number> | undefined;
    {
      await using _hang = await hangDisk(loom);
      output.fault = () => "none";
      await until("the batch is stored", () => output.documents().length === 1);
      answer = send(loom.ingestUrl, '[{"sent":"into the hanging sync"}]');
      await loom.logged("the disk does not respond; batches are refused until it does");
      expect((await answerOf(`${loom.managementUrl}/ready`))[0]).toBe(503);
    }
    expect(await answer).toBe(204);
    await untilDrained(loom.managementUrl, "elasticsearch");
    expect(output.documents()).toHaveLength(2);
  });
