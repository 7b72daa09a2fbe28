import { describe, expect, test } from "bun:test";
import { recordingLog } from "../support/log.ts";
import { askTwice, cookieOf, managementTest, secret, secretRoutes } from "../support/management.ts";

describe("the API", () => {
  for (const [method, path] of [
    ["GET", "/api/v1/secret"],
    ["POST", "/api/v1/secret"],
    ["GET", "/api/v1/broken"],
    ["GET", "/api/v1/nothing"],
    ["GET", "/api/"],
    ["PUT", "/api/v1/session"],
    ["GET", "/api/v1/session"],
    ["DELETE", "/api/v1/session"],
    ["POST", "/api/v1/session/"],
    ["OPTIONS", "/api/v1/secret"],
    ["HEAD", "/api/v1/secret"],
  ] as const)
    test(`${method} ${path} is 401 for a guest, whether it exists or not`, async () => {
      const { guest, guestText } = await askTwice(path, { method });
      expect({ status: guest.status, text: guestText }).toEqual({
        status: 401,
        text: '{"error":"unauthorized"}',
      });
    });

  for (const method of ["GET", "POST"])
    test(`${method} is answered if there is a session`, async () => {
      const { guestText, operatorText } = await askTwice("/api/v1/secret", { method });
      expect(guestText).not.toContain(secret);
      expect(operatorText).toBe(`{"secret":"${secret}"}`);
    });

  test("an unknown path is 404 as JSON if there is a session", async () => {
    const { operator, operatorText } = await askTwice("/api/v1/nothing", {
      headers: { accept: "text/html" },
    });
    expect([operator.status, operatorText]).toEqual([404, '{"error":"not_found"}']);
  });

  test("a defect is 500, is logged, and its message is not in the answer", async () => {
    const log = recordingLog();
    const management = managementTest({ routes: [secretRoutes], log });
    const response = await management.ask("/api/v1/broken", { cookie: await management.signIn() });
    expect([response.status, await response.text()]).toEqual([500, '{"error":"internal_error"}']);
    expect(log.lines[0]).toMatchObject({ level: "error", fields: { path: "/api/v1/broken" } });
    expect(String(log.lines[0]?.fields.error)).toContain(secret);
  });

  test("HEAD is refused, without reading a stream to its end", async () => {
    const { operator } = await askTwice("/api/v1/endless", { method: "HEAD" });
    expect(operator.status).toBe(405);
  });

  test("no answer is stored by a browser", async () => {
    const { guest, operator } = await askTwice("/api/v1/secret");
    expect(guest.headers.get("cache-control")).toBe("no-store");
    expect(operator.headers.get("cache-control")).toBe("no-store");
  });

  test("no other origin is allowed", async () => {
    const { guest, operator } = await askTwice("/api/v1/secret", {
      headers: { origin: "https://evil.example" },
    });
    for (const { headers } of [guest, operator])
      expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

describe("the page", () => {
  for (const [path, next] of [
    ["/", ""],
    ["/sensors", "?next=%2Fsensors"],
    ["/sensors/vps-1", "?next=%2Fsensors%2Fvps-1"],
    ["/tail?sensor=vps-1&text=a%26b", "?next=%2Ftail%3Fsensor%3Dvps-1%26text%3Da%2526b"],
    ["//evil.example/", "?next=%2F%2Fevil.example%2F"],
    ["/nothing", "?next=%2Fnothing"],
    ["/metrics/", "?next=%2Fmetrics%2F"],
    ["/Health", "?next=%2FHealth"],
    ["/..%2fmetrics", "?next=%2F..%252fmetrics"],
    ["/chunk-app.js", "?next=%2Fchunk-app.js"],
    ["/index-1.html", "?next=%2Findex-1.html"],
    [`/tail?text=${"a".repeat(2000)}`, ""],
  ] as const)
    test(`${path.slice(0, 40)} redirects a guest to the sign-in, with the way back`, async () => {
      const { guest, guestText } = await askTwice(path);
      expect([guest.status, guest.headers.get("location"), guestText]).toEqual([302, `/sign-in${next}`, ""]);
      expect(guest.headers.get("cache-control")).toBe("no-store");
    });

  for (const path of [
    "/",
    "/sensors",
    "/sensors/add",
    "/sensors/vps-frankfurt-01",
    "/sensors/a%2Fb%20c",
    "/refusals",
    "/tail?text=x",
    "/attacks",
    "/enrichment",
    "/outputs",
  ])
    test(`${path} is the page, with a session`, async () => {
      const { operator, operatorText } = await askTwice(path);
      expect([operator.status, operatorText]).toEqual([200, "<title>Loom</title>"]);
      expect(operator.headers.get("cache-control")).toBe("no-store");
    });

  for (const path of ["/nothing", "/sensors/a/b", "/Tail", "/index-1.html", "/chunk-other.js"])
    test(`${path} is 404 with a session: the page for a browser, plain text for others`, async () => {
      const looked = await askTwice(path, { headers: { accept: "text/html,*/*" } });
      expect([looked.operator.status, looked.operatorText]).toEqual([404, "<title>Loom</title>"]);
      const loaded = await askTwice(path, { headers: { accept: "*/*" } });
      expect([loaded.operator.status, loaded.operatorText]).toEqual([404, "not found"]);
    });

  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
    for (const path of ["/", "/health", "/metrics", "/sign-in", "/tail"])
      test(`${method} ${path} is 404`, async () => {
        const { guest, operator } = await askTwice(path, { method });
        expect([guest.status, operator.status]).toEqual([404, 404]);
      });

  test("its assets are stored for a year by browsers, not by proxies, and not served to guests", async () => {
    const { guestText, operator, operatorText } = await askTwice("/chunk-app.js");
    expect(guestText).toBe("");
    expect(operatorText).toBe("app();".repeat(1000));
    expect(operator.headers.get("cache-control")).toBe("private, max-age=31536000, immutable");
    expect(operator.headers.get("content-type")).toBe("text/javascript;charset=utf-8");
  });

  test("says so if it is not built", async () => {
    const management = managementTest({ pageFiles: undefined });
    expect((await management.ask("/")).headers.get("location")).toBe("/sign-in");
    for (const answer of [
      await management.ask("/sign-in"),
      await management.ask("/tail", { cookie: await management.signIn() }),
    ]) {
      expect(answer.status).toBe(503);
      expect(await answer.text()).toContain("bun run dev");
    }
  });
});

describe("the sign-in page", () => {
  test("is served to a guest with the files that it loads, and no others", async () => {
    const { guest, guestText } = await askTwice("/sign-in?next=%2Ftail");
    expect([guest.status, guestText]).toEqual([200, "<title>Loom: sign in</title>"]);
    expect(guest.headers.get("cache-control")).toBe("no-store");
    for (const path of ["/chunk-sign-in.js", "/icon-1.svg"]) {
      const asset = (await askTwice(path)).guest;
      expect([asset.status, asset.headers.get("cache-control")]).toEqual([
        200,
        "public, max-age=31536000, immutable",
      ]);
    }
  });

  test("is served with a session too", async () => {
    expect((await askTwice("/sign-in")).operatorText).toBe("<title>Loom: sign in</title>");
  });
});

describe("a session that is used", () => {
  const hourMs = 3_600_000;

  async function use(path: string, afterMs: number, method = "GET") {
    const clock = { now: 1_000_000 };
    const management = managementTest({ routes: [secretRoutes], signInOptions: { now: () => clock.now } });
    const cookie = await management.signIn();
    clock.now += afterMs;
    return { cookie, answer: await management.ask(path, { method, cookie }) };
  }

  test("is renewed after an hour, by the API and by the page", async () => {
    for (const path of ["/api/v1/secret", "/api/v1/endless", "/tail"]) {
      const { cookie, answer } = await use(path, hourMs);
      expect(answer.headers.get("set-cookie")).toContain("Max-Age=43200");
      expect(cookieOf(answer)).not.toBe(cookie);
    }
  });

  test("is not renewed before", async () => {
    expect((await use("/api/v1/secret", hourMs - 1)).answer.headers.get("set-cookie")).toBeNull();
  });

  test("is not renewed by an asset, which browsers store", async () => {
    expect((await use("/chunk-app.js", hourMs)).answer.headers.get("set-cookie")).toBeNull();
  });

  test("is not renewed by signing out", async () => {
    const { answer } = await use("/api/v1/session", hourMs, "DELETE");
    expect(answer.headers.getSetCookie()).toEqual([
      "loom-9080=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict",
    ]);
  });

  test("redirects to the sign-in when it is over", async () => {
    expect((await use("/api/v1/secret", 12 * hourMs)).answer.status).toBe(401);
    expect((await use("/tail", 12 * hourMs)).answer.headers.get("location")).toBe("/sign-in?next=%2Ftail");
  });
});
