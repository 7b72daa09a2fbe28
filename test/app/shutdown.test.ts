import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { maxTestMs, type RunningLoom, startExecutable } from "../support/executable.ts";
import { openConnection } from "../support/raw-connection.ts";
import { send, wholeRequest } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

for (const signal of ["SIGTERM", "SIGINT"] as const)
  describe(signal, () => {
    test("stops an idle Loom with status 0, which is logged", async () => {
      await using loom = await startExecutable();
      loom.signal(signal);
      expect(await loom.exited).toBe(0);
      expect((await loom.logged("stopping"))[0]?.signal).toBe(signal);
      await loom.logged("stopped");
    });

    test("waits for a batch whose body is half sent", async () => {
      await using loom = await startExecutable();
      using connection = await openConnection(loom.ingestPort);
      const request = wholeRequest('[{"sent":"in two halves"}]');
      connection.send(request.slice(0, -10));
      // The order in which signals and connections are served is undefined, so the batch must have begun before the signal.
      await send(loom.ingestUrl, "[]");
      loom.signal(signal);
      await refusesConnections(loom);
      connection.send(request.slice(-10));
      expect(await connection.statuses(1)).toEqual([204]);
      expect(await loom.exited).toBe(0);
      expect(loom.stdoutBytes().toString()).toBe('{"sent":"in two halves"}\n');
    });
  });

test("new connections are refused while a batch is still being received", async () => {
  await using loom = await startExecutable();
  using connection = await openConnection(loom.ingestPort);
  connection.send(wholeRequest('[{"a":1}]').slice(0, -1));
  await send(loom.ingestUrl, "[]");
  loom.signal("SIGTERM");
  await refusesConnections(loom);
  expect(connection.isClosed).toBe(false);
});

/** How long the shutdown waits for requests in flight, before it gives up (server/main.ts). */
const ingestStopMs = 6_000;

test("idle connections do not delay the exit", async () => {
  await using loom = await startExecutable();
  using used = await openConnection(loom.ingestPort);
  using _unused = await openConnection(loom.ingestPort);
  used.send(wholeRequest("[]"));
  await used.statuses(1);
  const startedAt = performance.now();
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(ingestStopMs);
});

test("a body that never ends delays the exit by less than 10 s", async () => {
  await using loom = await startExecutable();
  using connection = await openConnection(loom.ingestPort);
  connection.send(wholeRequest('[{"sent":"never whole"}]').slice(0, -1));
  await send(loom.ingestUrl, "[]");
  const startedAt = performance.now();
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(loom.stdoutBytes().length).toBe(0);
});

test("a second signal does not interrupt the shutdown", async () => {
  await using loom = await startExecutable();
  using connection = await openConnection(loom.ingestPort);
  const request = wholeRequest('[{"sent":"whole"}]');
  connection.send(request.slice(0, -1));
  await send(loom.ingestUrl, "[]");
  loom.signal("SIGTERM");
  await refusesConnections(loom);
  loom.signal("SIGTERM");
  loom.signal("SIGINT");
  loom.signal("SIGHUP");
  connection.send(request.slice(-1));
  expect(await connection.statuses(1)).toEqual([204]);
  expect(await loom.exited).toBe(0);
});

/** Waits until the ingest port refuses connections. */
async function refusesConnections({ ingestPort }: RunningLoom): Promise<void> {
  await until("connections are refused", () => {
    return new Promise<boolean>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: ingestPort });
      socket.on("connect", () => {
        socket.destroy();
        resolve(false);
      });
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
    });
  });
}
