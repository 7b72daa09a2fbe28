import { describe, expect, test } from "bun:test";
import { adminToken, cookieOf, managementTest, signInRequest } from "../../support/management.ts";

const path = "/api/v1/session";
const json = { "content-type": "application/json" };

async function post(body: string, headers: Record<string, string> = json) {
  const answer = await managementTest({ signInOptions: { failedAttempts: notSlowed } }).ask(path, {
    method: "POST",
    headers,
    body,
  });
  return { status: answer.status, text: await answer.text(), setCookie: answer.headers.get("set-cookie") };
}

const notSlowed = { slowDown: async () => undefined };

describe("signing in", () => {
  test("with the token is 204 and a cookie that opens the API", async () => {
    const management = managementTest();
    const answer = await management.ask(path, signInRequest(adminToken));
    expect([answer.status, answer.headers.get("cache-control"), await answer.text()]).toEqual([
      204,
      "no-store",
      "",
    ]);
    expect((await management.ask(path, { cookie: cookieOf(answer) })).status).toBe(200);
  });

  test("accepts a token with white space around it", async () => {
    expect((await post(JSON.stringify({ token: ` ${adminToken}\n` }))).status).toBe(204);
  });

  test("accepts parameters of the content type", async () => {
    const headers = { "content-type": "Application/JSON; charset=utf-8" };
    expect((await post(JSON.stringify({ token: adminToken }), headers)).status).toBe(204);
  });

  for (const token of ["", "wrong", adminToken.slice(1), "ü", "\ud800"])
    test(`with ${JSON.stringify(token)} is 401 without a cookie`, async () => {
      expect(await post(JSON.stringify({ token }))).toEqual({
        status: 401,
        text: '{"error":"unauthorized"}',
        setCookie: null,
      });
    });

  test("is 429 with Retry-After if too many answers wait", async () => {
    const management = managementTest({ signInOptions: { failedAttempts: { slowDown: async () => 4 } } });
    const answer = await management.ask(path, signInRequest("wrong"));
    expect([answer.status, answer.headers.get("retry-after"), await answer.text()]).toEqual([
      429,
      "4",
      '{"error":"too_many_attempts"}',
    ]);
  });

  for (const [what, body, headers] of [
    ["no JSON", "token=x", json],
    ["nothing", "", json],
    ["a text", '"correct horse battery staple"', json],
    ["null", "null", json],
    ["a list", `["${adminToken}"]`, json],
    ["no token", "{}", json],
    ["a token that is not a string", '{"token":1}', json],
    ["more than 4 KiB", JSON.stringify({ token: adminToken, more: "a".repeat(4096) }), json],
    ["a form", `{"token":"${adminToken}"}`, { "content-type": "application/x-www-form-urlencoded" }],
    ["plain text", `{"token":"${adminToken}"}`, { "content-type": "text/plain" }],
    ["another JSON type", `{"token":"${adminToken}"}`, { "content-type": "application/jsonp" }],
  ] as const)
    test(`with ${what} is 400 without a cookie`, async () => {
      expect(await post(body, headers)).toEqual({
        status: 400,
        text: '{"error":"invalid_request"}',
        setCookie: null,
      });
    });

  test("does not work with a token in the address", async () => {
    const answer = await managementTest().ask(`${path}?token=${encodeURIComponent(adminToken)}`);
    expect(answer.status).toBe(401);
  });
});

describe("the session", () => {
  test("has its end and the version of Loom", async () => {
    const management = managementTest({ signInOptions: { now: () => 1_000_000 } });
    const answer = await management.ask(path, { cookie: await management.signIn() });
    expect(await answer.json()).toEqual({ expiresAt: 1_000_000 + 12 * 3_600_000, version: "1.2.3" });
  });

  test("has the new end if reading it renews it", async () => {
    const clock = { now: 1_000_000 };
    const management = managementTest({ signInOptions: { now: () => clock.now } });
    const cookie = await management.signIn();
    clock.now += 2 * 3_600_000;
    const answer = await management.ask(path, { cookie });
    expect(await answer.json()).toMatchObject({ expiresAt: 1_000_000 + 14 * 3_600_000 });
    expect(cookieOf(answer)).not.toBe("");
  });

  test("is over after signing out, even if the cookie is sent again", async () => {
    const management = managementTest();
    const cookie = await management.signIn();
    expect((await management.ask(path, { method: "DELETE", cookie })).status).toBe(204);
    expect((await management.ask(path, { cookie })).status).toBe(401);
    expect((await management.ask(path, { method: "DELETE", cookie })).status).toBe(401);
  });
});
