import { expect, test } from "bun:test";
import { SerialQueue } from "../server/serial-queue.ts";

test("a task starts when the one before it has settled", async () => {
  const queue = new SerialQueue();
  const first = Promise.withResolvers<string>();
  const order: string[] = [];
  const results = [
    queue.run(async () => {
      order.push("first starts");
      const result = await first.promise;
      order.push("first ends");
      return result;
    }),
    queue.run(async () => {
      order.push("second starts");
      return "second";
    }),
  ];
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(["first starts"]);
  first.resolve("first");
  expect(await Promise.all(results)).toEqual(["first", "second"]);
  expect(order).toEqual(["first starts", "first ends", "second starts"]);
});

test("a failed task rejects for its caller and does not stop the next one", async () => {
  const queue = new SerialQueue();
  const failed = queue.run(() => Promise.reject(new Error("no disk")));
  const next = queue.run(async () => "done");
  await expect(failed).rejects.toThrow("no disk");
  expect(await next).toBe("done");
});

test("settled waits for the tasks that were added before it, failed ones included", async () => {
  const queue = new SerialQueue();
  let isDone = false;
  queue
    .run(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      isDone = true;
      throw new Error("no disk");
    })
    .catch(() => {});
  await queue.settled();
  expect(isDone).toBe(true);
});
