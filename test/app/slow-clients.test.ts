import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { maxTestMs, type RunningLoom, startExecutable } from "../support/executable.ts";
import { openConnection } from "../support/raw-connection.ts";
import { wholeRequest } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

let loom: RunningLoom;
beforeAll(async () => {
  loom = await startExecutable();
});
afterAll(() => loom[Symbol.asyncDispose]());

describe.concurrent("slow clients", () => {
  test("a batch that takes 10 s to arrive is kept: a sensor would wait for its answer no longer than 15 s", async () => {
    using connection = await openConnection(loom.ingestPort);
    const request = wholeRequest(`[{"sent":"slowly","padding":"${"x".repeat(400)}"}]`);
    const startedAt = performance.now();
    let at = 0;
    await until(
      "all is sent",
      () => {
        const due = Math.ceil(((performance.now() - startedAt) / 10_000) * request.length);
        if (due > at) connection.send(request.slice(at, due));
        at = Math.max(at, due);
        return at >= request.length;
      },
      15_000,
    );
    expect(await connection.statuses(1)).toEqual([204]);
  });

  test("a client that never ends its headers is disconnected", async () => {
    using connection = await openConnection(loom.ingestPort);
    connection.send("POST /ingest HTTP/1.1\r\nhost: loom.example\r\n");
    await connection.closed(25_000);
    expect(connection.received()).toBe("");
  });

  test("a client that sends one header a second is disconnected too", async () => {
    using connection = await openConnection(loom.ingestPort);
    connection.send("POST /ingest HTTP/1.1\r\nhost: loom.example\r\n");
    let sentAt = performance.now();
    await until(
      "the connection is closed",
      () => {
        if (performance.now() - sentAt > 1_000) {
          connection.send("x: y\r\n");
          sentAt = performance.now();
        }
        return connection.isClosed;
      },
      25_000,
    );
  });
});
