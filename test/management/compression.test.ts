import { describe, expect, test } from "bun:test";
import { managementTest, secret, secretRoutes } from "../support/management.ts";

describe("compression", () => {
  const ask = async (path: string, headers: Record<string, string>, method = "GET") => {
    const management = managementTest({ routes: [secretRoutes] });
    const cookie = await management.signIn();
    return management.ask(path, { method, headers, cookie });
  };
  const gzip = { "accept-encoding": "deflate, gzip;q=0.8, br" };

  for (const [path, text] of [
    ["/api/v1/large", JSON.stringify({ secret: secret.repeat(200) })],
    ["/chunk-app.js", "app();".repeat(1000)],
  ] as const) {
    test(`${path} is compressed if the client accepts it`, async () => {
      const answer = await ask(path, gzip);
      expect(answer.headers.get("content-encoding")).toBe("gzip");
      expect(answer.headers.get("vary")).toBe("accept-encoding");
      expect(Buffer.from(Bun.gunzipSync(await answer.arrayBuffer())).toString()).toBe(text);
    });

    for (const accepted of ["", "identity", "gzip;q=0", "gzip; q=0.000", "xgzip", "br"])
      test(`${path} is not compressed for a client that accepts "${accepted}"`, async () => {
        const answer = await ask(path, { "accept-encoding": accepted });
        expect(answer.headers.get("content-encoding")).toBeNull();
        expect(answer.headers.get("vary")).toBe("accept-encoding");
        expect(await answer.text()).toBe(text);
      });
  }

  test("leaves out small JSON and small files", async () => {
    for (const path of ["/api/v1/secret", "/icon-1.svg"])
      expect((await ask(path, gzip)).headers.get("content-encoding")).toBeNull();
  });

  test("leaves out an event stream", async () => {
    const answer = await ask("/api/v1/endless", gzip);
    expect([answer.status, answer.headers.get("content-encoding")]).toEqual([200, null]);
  });

  test("does not change the status and headers of an error", async () => {
    const answer = await ask("/api/v1/unavailable", gzip, "POST");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
  });
});
