import { expect, test } from "bun:test";
import { readJsonBody } from "../../../server/management/api/json-body.ts";

const bounds = { maxBytes: 16, maxMs: 1_000 };
const headers = { "content-type": "application/json" };

function post(body: string | ReadableStream): Request {
  return new Request("http://loom.example/", { method: "POST", headers, body });
}

test("a body up to the bound is read", async () => {
  expect(await readJsonBody(post('{"a":"12345678"}'), bounds)).toEqual({ a: "12345678" });
});

test("a body over the bound is undefined", async () => {
  expect(await readJsonBody(post('{"a":"123456789"}'), bounds)).toBeUndefined();
});

test("a chunked body over the bound is undefined, and the rest is not read", async () => {
  let chunks = 0;
  const body = new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.alloc(8, chunks++)) });
  expect(await readJsonBody(post(body), bounds)).toBeUndefined();
  expect(chunks).toBeLessThan(10);
});

test("a body that is not complete in time is undefined", async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{"a":')) });
  expect(await readJsonBody(post(body), { ...bounds, maxMs: 10 })).toBeUndefined();
});
