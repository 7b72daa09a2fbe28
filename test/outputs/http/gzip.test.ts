import { expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { compress } from "../../../server/outputs/http/gzip.ts";

test("a small body is sent as it is", async () => {
  const body = Buffer.alloc(4095, "a");
  expect(await compress(body)).toEqual({ body, contentEncoding: undefined });
});

test("a larger body is compressed", async () => {
  const body = Buffer.alloc(4096, "a");
  const compressed = await compress(body);
  expect(compressed.contentEncoding).toBe("gzip");
  expect(compressed.body.length).toBeLessThan(100);
  expect(gunzipSync(compressed.body)).toEqual(body);
});
