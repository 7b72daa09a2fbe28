import { describe, expect, test } from "bun:test";
import type { SessionAnswer } from "../../../server/management/api/answers.ts";
import { ApiError } from "../../../ui/models/api-client.ts";
import { SignInModel } from "../../../ui/models/sign-in.ts";

function signInWith({ problem, session }: { problem?: ApiError; session?: SessionAnswer | ApiError } = {}) {
  const visited: string[] = [];
  const api = {
    signIn: () => (problem ? Promise.reject(problem) : Promise.resolve()),
    findSession: () => (session instanceof ApiError ? Promise.reject(session) : Promise.resolve(session)),
  };
  const location = {
    search: "?next=%2Ftail",
    origin: "http://127.0.0.1:9080",
    replace: (url: string | URL) => void visited.push(String(url)),
  };
  return { visited, model: new SignInModel({ api, location }) };
}

describe("signing in", () => {
  test("leads to the requested page, and the button stays disabled until the page has changed", async () => {
    const { model, visited } = signInWith();
    await model.submit("token");
    expect([visited, model.isBusy.value, model.problem.value]).toEqual([["/tail"], true, undefined]);
  });

  for (const [status, text] of [
    [401, "Wrong token"],
    [429, "Too many wrong tokens"],
    [0, "Cannot sign in: Loom does not answer."],
  ] as const)
    test(`that fails with status ${status} says why, and can be tried again`, async () => {
      const { model, visited } = signInWith({ problem: new ApiError(status, "", "Loom does not answer") });
      expect(model.isBusy.value).toBe(false);
      await model.submit("token");
      expect(model.problem.value).toStartWith(text);
      expect([visited, model.isBusy.value]).toEqual([[], false]);
    });
});

test("a new attempt removes the problem of the last one", async () => {
  const { model } = signInWith({ problem: new ApiError(401, "", "") });
  await model.submit("token");
  const submitted = model.submit("token");
  expect([model.problem.value, model.isBusy.value]).toEqual([undefined, true]);
  await submitted;
});

describe("the sign-in page", () => {
  test("is left at once if there is a session", async () => {
    const { model, visited } = signInWith({ session: { expiresAt: 1, version: "1" } });
    await model.resume();
    expect(visited).toEqual(["/tail"]);
  });

  for (const [name, options] of [
    ["without a session", {}],
    ["if Loom does not answer", { session: new ApiError(0, "", "Loom does not answer") }],
  ] as const)
    test(`stays ${name}`, async () => {
      const { model, visited } = signInWith(options);
      await model.resume();
      expect([visited, model.problem.value]).toEqual([[], undefined]);
    });
});
