import { describe, expect, test } from "bun:test";
import { readBody } from "../../server/http/request-body.ts";

/** A request with a declared length, as from the network; undefined: a chunked body. */
function post(body: string | ReadableStream | null, length?: number | string): Request {
  const headers = length === undefined ? {} : { "content-length": String(length) };
  return new Request("http://loom.example/", { method: "POST", body, headers });
}

function chunks(...texts: string[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(Buffer.from(text));
      controller.close();
    },
  });
}

async function textOf(request: Request, maxBytes: number): Promise<string> {
  const body = await readBody(request, maxBytes);
  return body.kind === "accepted" ? body.value.toString() : body.refusal;
}

describe("a body with a declared length", () => {
  test("is read up to and including the bound", async () => {
    expect(await textOf(post("abc", 3), 3)).toBe("abc");
    expect(await textOf(post("abcd", 4), 3)).toBe("payload_too_large");
  });

  test("is refused if the length is not a number", async () => {
    expect(await textOf(post("abc", "x"), 3)).toBe("payload_too_large");
  });

  test("is not read if it is too long", async () => {
    let isRead = false;
    const pull = () => {
      isRead = true;
    };
    const body = new ReadableStream({ pull }, { highWaterMark: 0 });
    expect(await textOf(post(body, 4), 3)).toBe("payload_too_large");
    expect(isRead).toBe(false);
  });
});

describe("a chunked body", () => {
  test("is read up to and including the bound", async () => {
    expect(await textOf(post(chunks("a", "bc")), 3)).toBe("abc");
    expect(await textOf(post(chunks("a", "bcd")), 3)).toBe("payload_too_large");
  });

  test("may have chunks that are empty, or be empty", async () => {
    expect(await textOf(post(chunks("", "a", "")), 3)).toBe("a");
    expect(await textOf(post(chunks()), 3)).toBe("");
    expect(await textOf(post(null), 3)).toBe("");
  });

  test("is complete for any sizes of chunks, beyond the first buffer", async () => {
    const pieces = Array.from({ length: 300 }, (_, i) => String(i % 10).repeat(1000 + i));
    expect(await textOf(post(chunks(...pieces)), 10_000_000)).toBe(pieces.join(""));
    expect(await textOf(post(chunks("x".repeat(200_000), "y")), 200_001)).toBe(`${"x".repeat(200_000)}y`);
  });

  for (const [what, pieces, maxBytes, capacity] of [
    ["64 KiB for a short body", ["a"], 10_000_000, 65_536],
    ["no more than the bound", ["a"], 10, 10],
    ["twice as much when it is full", ["x".repeat(65_536), "y"], 10_000_000, 131_072],
    ["no more than the bound when it is full", ["x".repeat(65_536), "y"], 70_000, 70_000],
    ["what a long chunk needs", ["x".repeat(200_000)], 10_000_000, 200_000],
  ] as const)
    test(`is read into a buffer of ${what}`, async () => {
      const body = await readBody(post(chunks(...pieces)), maxBytes);
      expect(body.kind === "accepted" && body.value.buffer.byteLength).toBe(capacity);
    });

  test("whose connection is closed is a closed request", async () => {
    const broken = new ReadableStream({
      pull(controller) {
        controller.error(new Error("connection closed"));
      },
    });
    expect(await textOf(post(broken), 3)).toBe("client_closed_request");
  });
});
