import { expect, test } from "bun:test";
import { FileWaitError, inFileTurn } from "../server/file-turns.ts";

test("operations run one after another, also after one that failed", async () => {
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const turns = [
    inFileTurn("a", async () => {
      order.push("first begins");
      await first.promise;
      order.push("first ends");
      throw new Error("first failed");
    }),
    inFileTurn("b", async () => {
      order.push("second");
    }),
  ];
  first.resolve();
  expect((await Promise.allSettled(turns)).map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  expect(order).toEqual(["first begins", "first ends", "second"]);
});

test("while an operation hangs, no other one is begun; afterwards they are", async () => {
  const mount = Promise.withResolvers<string>();
  await expect(inFileTurn("/mnt/tokens", () => mount.promise, 20)).rejects.toThrow(
    new FileWaitError("no answer within 0.02 s"),
  );
  let isBegun = false;
  const next = inFileTurn("/etc/other", async () => {
    isBegun = true;
  });
  await expect(next).rejects.toThrow("not read, because reading /mnt/tokens still hangs");
  expect(isBegun).toBe(false);
  mount.resolve("late");
  await mount.promise;
  expect(await inFileTurn("/etc/other", async () => "read")).toBe("read");
});

test("an operation that makes progress may take longer than the time for one step", async () => {
  // A busy machine may not run this process for some hundred milliseconds.
  const stepMs = 1_000;
  const turn = inFileTurn(
    "/large",
    async ({ signal, progress }) => {
      const startedAt = performance.now();
      while (performance.now() - startedAt < 2 * stepMs) {
        await new Promise(setImmediate);
        progress();
      }
      return signal.aborted;
    },
    stepMs,
  );
  expect(await turn).toBe(false);
});

test("an operation that ends when it is told to does not count as hanging", async () => {
  const told = inFileTurn(
    "/pipe",
    ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("told to end")))),
    20,
  );
  await expect(told).rejects.toThrow("no answer within 0.02 s");
  expect(await inFileTurn("/etc/other", async () => "read")).toBe("read");
});
