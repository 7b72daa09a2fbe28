import { describe, expect, test } from "bun:test";
import { askTwice, managementTest } from "../support/management.ts";

describe("a request that a browser sends for another site", () => {
  const refused: readonly Record<string, string>[] = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", origin: "http://loom.example:9080" },
    { origin: "https://evil.example", host: "loom.example:9080" },
    { origin: "http://loom.example:9081", host: "loom.example:9080" },
    { origin: "null", host: "loom.example:9080" },
    { origin: "nonsense", host: "loom.example:9080" },
  ];
  for (const headers of refused)
    test(`${JSON.stringify(headers)} changes nothing, even with a session`, async () => {
      const { operator, operatorText } = await askTwice("/api/v1/secret", { method: "POST", headers });
      expect([operator.status, operatorText]).toEqual([403, '{"error":"forbidden"}']);
    });

  test("cannot sign in", async () => {
    const response = await managementTest().ask("/api/v1/session", {
      method: "POST",
      headers: { "content-type": "application/json", "sec-fetch-site": "cross-site" },
      body: '{"token":"correct horse battery staple"}',
    });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([403, null]);
  });

  const taken: readonly Record<string, string>[] = [
    { "sec-fetch-site": "same-origin" },
    { "sec-fetch-site": "same-origin", origin: "https://loom.example", host: "127.0.0.1:9080" },
    { "sec-fetch-site": "none" },
    { origin: "http://Loom.example:9080", host: "loom.example:9080" },
    {},
  ];
  for (const headers of taken)
    test(`${JSON.stringify(headers)} is not one`, async () => {
      const { operator } = await askTwice("/api/v1/secret", { method: "POST", headers });
      expect(operator.status).toBe(200);
    });
});
