import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { createDescriptorWriter } from "../server/descriptor-writer.ts";
import { createPipe } from "./support/pipe.ts";
import { until } from "./support/until.ts";

/** Far more bytes than a pipe holds (64 KiB). */
const large = (letter: string) => Buffer.from(`${letter.repeat(1_000_000)}\n`);

test("writes are whole and in order for a slow reader", async () => {
  using pipe = createPipe();
  const writer = createDescriptorWriter(pipe.writeEnd);
  const all = Promise.all(["a", "b", "c"].map((letter) => writer.write(large(letter))));
  let text = "";
  await until("all is read", () => {
    text += pipe.readAvailable().toString();
    return text.length === 3_000_003;
  });
  await all;
  expect(text).toBe(["a", "b", "c"].map((letter) => large(letter).toString()).join(""));
  expect(writer.pendingBytes).toBe(0);
});

test("a write to a full descriptor that does not block is tried again", async () => {
  using pipe = createPipe({ isNonBlocking: true });
  const writer = createDescriptorWriter(pipe.writeEnd);
  const written = writer.write(large("a"));
  let text = "";
  await until("all is read", () => {
    text += pipe.readAvailable().toString();
    return text.length === 1_000_001;
  });
  await written;
});

test("a stalled reader blocks neither the event loop nor the writer's numbers", async () => {
  using pipe = createPipe();
  const writer = createDescriptorWriter(pipe.writeEnd);
  const written = writer.write(large("a"));
  await until("no progress is seen", () => writer.msWithoutProgress() > 100);
  expect(writer.pendingBytes).toBe(1_000_001);
  await until("it is written", () => {
    pipe.readAvailable();
    return writer.pendingBytes === 0;
  });
  await written;
  expect(writer.msWithoutProgress()).toBe(0);
});

test("cancelling rejects the writes that have not begun, and the others come out whole", async () => {
  using pipe = createPipe();
  const writer = createDescriptorWriter(pipe.writeEnd);
  const begun = writer.write(large("a"));
  const waiting = writer.write(large("b"));
  await until("the first has begun", () => writer.msWithoutProgress() > 20);
  writer.cancelWaiting(new Error("cancelled"));
  expect(await waiting.catch((error: Error) => error.message)).toBe("cancelled");
  let text = "";
  await until("the first is read", () => {
    text += pipe.readAvailable().toString();
    return text.length === 1_000_001;
  });
  await begun;
  await writer.idle();
  expect(pipe.readAvailable().toString()).toBe("");
  expect(text).toBe(large("a").toString());
});

test("a reader that is gone is an EPIPE for every write", async () => {
  using pipe = createPipe();
  pipe.closeReader();
  const writer = createDescriptorWriter(pipe.writeEnd);
  const codes = await Promise.all(
    [1, 2].map(() => writer.write(large("a")).catch((error: NodeJS.ErrnoException) => error.code)),
  );
  expect(codes).toEqual(["EPIPE", "EPIPE"]);
});

test("a full device is an ENOSPC, and later writes are tried", async () => {
  const descriptor = openSync("/dev/full", "w");
  const writer = createDescriptorWriter(descriptor);
  for (let i = 0; i < 2; i++)
    expect(await writer.write(large("a")).catch((error: NodeJS.ErrnoException) => error.code)).toBe("ENOSPC");
  expect(writer.pendingBytes).toBe(0);
  closeSync(descriptor);
});
