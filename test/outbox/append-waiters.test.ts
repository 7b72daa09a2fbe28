import { expect, test } from "bun:test";
import { AppendWaiters } from "../../server/outbox/append-waiters.ts";

const never = new AbortController().signal;

/** Whether a promise has resolved once all tasks that are due have run. */
async function isResolved(promise: Promise<void>): Promise<boolean> {
  let isDone = false;
  promise.then(() => {
    isDone = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return isDone;
}

test("a wait lasts until the next wake", async () => {
  const waiters = new AppendWaiters();
  const waits = [waiters.wait(5, never), waiters.wait(5, never)];
  expect(await isResolved(waits[0] as Promise<void>)).toBe(false);
  waiters.wake();
  await Promise.all(waits);
  expect(await isResolved(waiters.wait(5, never))).toBe(false);
});

test("a wait ends at once if events were stored after the search that found nothing", async () => {
  const waiters = new AppendWaiters();
  waiters.foundNothing(5);
  expect(await isResolved(waiters.wait(6, never))).toBe(true);
});

test("a wait does not end at once if no event was stored after the search", async () => {
  const waiters = new AppendWaiters();
  waiters.foundNothing(5);
  expect(await isResolved(waiters.wait(5, never))).toBe(false);
});

test("a search counts for one wait only", async () => {
  const waiters = new AppendWaiters();
  waiters.foundNothing(5);
  await waiters.wait(6, never);
  expect(await isResolved(waiters.wait(7, never))).toBe(false);
});

test("an abort ends a wait, before it begins too, and removes its listener", async () => {
  const waiters = new AppendWaiters();
  const controller = new AbortController();
  const wait = waiters.wait(5, controller.signal);
  controller.abort();
  await wait;
  expect(await isResolved(waiters.wait(5, controller.signal))).toBe(true);
});

test("a wait that was woken leaves no listener on the signal", async () => {
  const waiters = new AppendWaiters();
  const listeners = new Set<unknown>();
  const signal = {
    aborted: false,
    addEventListener: (_: string, listener: unknown) => listeners.add(listener),
    removeEventListener: (_: string, listener: unknown) => listeners.delete(listener),
  } as unknown as AbortSignal;
  const wait = waiters.wait(5, signal);
  expect(listeners.size).toBe(1);
  waiters.wake();
  await wait;
  expect(listeners.size).toBe(0);
});
