import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { ApiClient, ApiError } from "../../../ui/models/api-client.ts";

interface Sent {
  readonly path: string;
  readonly init: RequestInit;
}

/** A client whose requests are answered by `answer`. The default page is /tail?port=23. */
function clientWith(
  answer: (sent: Sent) => Response | Promise<Response>,
  { pathname = "/tail", search = "?port=23" } = {},
) {
  const sent: Sent[] = [];
  const visited: string[] = [];
  const api = new ApiClient({
    fetch: async (path, init) => {
      sent.push({ path, init });
      return answer({ path, init });
    },
    location: { pathname, search, assign: (url) => void visited.push(String(url)) },
  });
  return { api, sent, visited };
}

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

const jsonWith = (body: object, headers: Readonly<Record<string, string>> = {}, status = 200) =>
  Response.json(body, { status, headers });

describe("a request", () => {
  test("gives the JSON of the answer, and is sent with the cookies of this origin only", async () => {
    const { api, sent } = clientWith(() => jsonWith({ a: 1 }));
    expect(await api.getJson<object>("/api/v1/x")).toEqual({ a: 1 });
    expect(sent.map(({ path, init }) => [path, init.credentials])).toEqual([["/api/v1/x", "same-origin"]]);
  });

  test("with a body is a POST of JSON", async () => {
    const { api, sent } = clientWith(() => jsonWith({ requested: 2 }));
    expect(await api.postJson<object>("/api/v1/x", { all: true })).toEqual({ requested: 2 });
    expect(sent[0]?.init).toMatchObject({
      method: "POST",
      body: '{"all":true}',
      headers: { "content-type": "application/json" },
    });
  });

  test("is aborted by the caller's signal", async () => {
    const { api, sent } = clientWith(() => jsonWith({}));
    const aborting = new AbortController();
    await api.getJson("/api/v1/x", aborting.signal);
    aborting.abort();
    expect(sent[0]?.init.signal?.aborted).toBe(true);
  });
});

describe("a failed request", () => {
  test("has the status and the code of the answer", async () => {
    const { api } = clientWith(() => jsonWith({ error: "internal_error" }, {}, 500));
    const { status, code, message } = await failureOf(api.getJson("/api/v1/x"));
    expect([status, code, message]).toEqual([500, "internal_error", "Loom answered HTTP 500 internal_error"]);
  });

  test("says the reason that the answer has, and keeps its other members", async () => {
    const { api } = clientWith(() =>
      jsonWith({ error: "unavailable", reason: "no disk", hasHistory: true }, {}, 503),
    );
    const { message, body } = await failureOf(api.getJson("/api/v1/x"));
    expect([message, body.hasHistory]).toEqual(["no disk", true]);
  });

  test("has no code if the answer is not JSON", async () => {
    const { api } = clientWith(() => new Response("<html>bad gateway", { status: 502 }));
    const { code, message } = await failureOf(api.getJson("/api/v1/x"));
    expect([code, message]).toEqual(["", "Loom answered HTTP 502"]);
  });

  test("has status 0 if there was no answer", async () => {
    const { api } = clientWith(() => Promise.reject(new TypeError("connection refused")));
    const { status, message } = await failureOf(api.getJson("/api/v1/x"));
    expect([status, message]).toEqual([0, "Loom does not answer"]);
  });

  test("says so if the time limit has passed", async () => {
    const { api } = clientWith(() => Promise.reject(new DOMException("", "TimeoutError")));
    expect((await failureOf(api.getJson("/api/v1/x"))).message).toBe("Loom did not answer within 10 s");
  });
});

describe("an answer 401", () => {
  const unauthorized = () => jsonWith({ error: "unauthorized" }, {}, 401);

  test("leads to the sign-in page, which leads back", async () => {
    const { api, visited } = clientWith(unauthorized);
    await failureOf(api.getJson("/api/v1/x"));
    expect(visited).toEqual(["/sign-in?next=%2Ftail%3Fport%3D23"]);
  });

  test("leads from the overview to the plain sign-in page", async () => {
    const { api, visited } = clientWith(unauthorized, { pathname: "/", search: "" });
    await failureOf(api.postJson("/api/v1/x", {}));
    expect(visited).toEqual(["/sign-in"]);
  });

  test("to a stream leads to the sign-in page", async () => {
    const { api, visited } = clientWith(unauthorized);
    const response = await api.openStream("/api/v1/tail", {}, new AbortController().signal);
    expect([response.status, visited.length]).toEqual([401, 1]);
  });

  test("to the question for a session means that there is none, and leads nowhere", async () => {
    const { api, visited } = clientWith(unauthorized);
    expect(await api.findSession()).toBeUndefined();
    expect(visited).toEqual([]);
  });

  test("to a sign-in is a wrong token, and leads nowhere", async () => {
    const { api, visited } = clientWith(unauthorized);
    expect((await failureOf(api.signIn("wrong"))).status).toBe(401);
    expect(visited).toEqual([]);
  });
});

test("signing out deletes the session and leads to the sign-in page, also without an answer", async () => {
  const { api, sent, visited } = clientWith(() => Promise.reject(new TypeError("connection refused")));
  await api.signOut();
  expect(sent.map(({ path, init }) => [init.method, path])).toEqual([["DELETE", "/api/v1/session"]]);
  expect(visited).toEqual(["/sign-in"]);
});

describe("the page is outdated", () => {
  test("once an answer has another build than the first one", async () => {
    const builds = ["a", "a", "b"];
    const { api } = clientWith(() => jsonWith({}, { "x-loom-build": builds.shift() ?? "" }));
    await api.getJson("/api/v1/x");
    await api.getJson("/api/v1/x");
    expect(api.isPageOutdated.value).toBe(false);
    await api.getJson("/api/v1/x");
    expect(api.isPageOutdated.value).toBe(true);
  });

  test("once a stream has another build", async () => {
    const builds = ["a", "b"];
    const { api } = clientWith(() => jsonWith({}, { "x-loom-build": builds.shift() ?? "" }));
    await api.getJson("/api/v1/x");
    await api.openStream("/api/v1/tail", {}, new AbortController().signal);
    expect(api.isPageOutdated.value).toBe(true);
  });

  test("not by an answer that names no build, such as a proxy's", async () => {
    const headers = [{ "x-loom-build": "a" }, {}];
    const { api } = clientWith(() => jsonWith({}, headers.shift()));
    await api.getJson("/api/v1/x");
    await api.getJson("/api/v1/x");
    expect(api.isPageOutdated.value).toBe(false);
  });
});

describe("the difference to Loom's clock", () => {
  beforeEach(() => void jest.useFakeTimers({ now: 1_000_000 }));
  afterEach(() => void jest.useRealTimers());

  test("follows the time of the answers", async () => {
    const { api } = clientWith(() => jsonWith({ now: 1_060_000 }));
    await api.getJson("/api/v1/x");
    expect(api.serverAheadMs.value).toBe(60_000);
  });

  test("does not follow a change that the way of the answer explains", async () => {
    const times = [1_060_000, 1_058_500, 1_050_000];
    const { api } = clientWith(() => jsonWith({ now: times.shift() }));
    await api.getJson("/api/v1/x");
    await api.getJson("/api/v1/x");
    expect(api.serverAheadMs.value).toBe(60_000);
    await api.getJson("/api/v1/x");
    expect(api.serverAheadMs.value).toBe(50_000);
  });
});
