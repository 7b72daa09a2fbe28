import { describe, expect, test } from "bun:test";
import { Sessions, type SessionsOptions } from "../../../server/management/sign-in/sessions.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const adminToken = "correct horse battery staple";

function start(options: Partial<SessionsOptions> = {}) {
  const clock = { now: 1_000_000 };
  const sessions = new Sessions({ adminToken, isTls: false, now: () => clock.now, ...options });
  return { clock, sessions };
}

const plain = request();

function request(headers: Record<string, string> = {}): Request {
  return new Request("http://loom.example:9080/", { headers });
}

/** A request with the cookie that was set. */
function withCookie(setCookie: string | undefined): Request {
  return request({ cookie: `theme=dark; ${setCookie?.split(";")[0]}` });
}

function begin(sessions: Sessions): Request {
  return withCookie(sessions.begin(plain));
}

/** @throws if there is no session */
function sessionOf(sessions: Sessions, request: Request) {
  const session = sessions.find(request);
  if (!session) throw new Error("no session");
  return session;
}

/** A request with the cookie that the session has after it was used now. */
function renewed(sessions: Sessions, request: Request): Request | undefined {
  const setCookie = sessions.renew(request, sessionOf(sessions, request));
  return setCookie === undefined ? undefined : withCookie(setCookie);
}

describe("the cookie", () => {
  test("is hidden from scripts and other sites, is sent for every path, and ends after 12 hours", () => {
    expect(start().sessions.begin(plain)).toMatch(
      /^loom-9080=[\w.-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
  });

  test("is Secure and bound to the host under TLS", () => {
    expect(start({ isTls: true }).sessions.begin(plain)).toMatch(
      /^__Host-loom-9080=[\w.-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/,
    );
  });

  test("is Secure behind a proxy that uses TLS", () => {
    const { sessions } = start();
    const proxied = request({ "x-forwarded-proto": "https" });
    expect(sessions.begin(proxied)).toMatch(/^__Host-.*; Secure$/);
  });

  test("has the port that the browser sees in its name, so that two tunnels to one machine are separate", () => {
    const { sessions } = start();
    const nameAt = (host: string) => sessions.begin(request({ host })).split("=")[0];
    expect(["localhost:9080", "localhost:9081", "[::1]:9082", "loom.example"].map(nameAt)).toEqual([
      "loom-9080",
      "loom-9081",
      "loom-9082",
      "loom-80",
    ]);
  });

  test("does not contain the token", () => {
    const setCookie = start().sessions.begin(plain);
    expect(setCookie).not.toContain("correct");
    expect(setCookie).not.toContain(Buffer.from(adminToken).toString("base64url").slice(0, 12));
  });

  test("differs from sign-in to sign-in", () => {
    const { sessions } = start();
    expect(sessions.begin(plain)).not.toBe(sessions.begin(plain));
  });
});

describe("a session", () => {
  test("is found by its cookie among others", () => {
    const { sessions } = start();
    expect(sessions.find(begin(sessions))).toMatchObject({ signedInAt: 1_000_000 });
  });

  test("is found even if another cookie with its name comes first", () => {
    const { sessions } = start();
    const value = sessions.begin(plain).split(";")[0];
    expect(sessions.find(request({ cookie: `loom-9080=tossed; ${value}` }))).toBeDefined();
  });

  test("is undefined without a cookie", () => {
    expect(start().sessions.find(plain)).toBeUndefined();
  });

  test("ends 12 hours after the last use that renewed it", () => {
    const { sessions, clock } = start();
    const used = begin(sessions);
    clock.now += 12 * hourMs - 1;
    expect(sessions.find(used)).toBeDefined();
    clock.now += 1;
    expect(sessions.find(used)).toBeUndefined();
  });

  test("is not renewed within an hour", () => {
    const { sessions, clock } = start();
    const used = begin(sessions);
    clock.now += hourMs - 1;
    expect(renewed(sessions, used)).toBeUndefined();
  });

  test("is renewed after an hour, for 12 more hours", () => {
    const { sessions, clock } = start();
    const used = begin(sessions);
    clock.now += hourMs;
    const next = renewed(sessions, used);
    clock.now += 12 * hourMs - 1;
    expect(next && sessions.find(next)).toBeDefined();
    clock.now += 1;
    expect(next && sessions.find(next)).toBeUndefined();
  });

  test("is renewed once by simultaneous requests", () => {
    const { sessions, clock } = start();
    const used = begin(sessions);
    clock.now += 2 * hourMs;
    expect(renewed(sessions, used)).toBeDefined();
    expect(renewed(sessions, used)).toBeUndefined();
  });

  test("ends 7 days after the sign-in, however it is used", () => {
    const { sessions, clock } = start();
    let used = begin(sessions);
    const signedInAt = clock.now;
    while (sessions.find(used)) {
      clock.now += 2 * hourMs;
      if (sessions.find(used)) used = renewed(sessions, used) ?? used;
    }
    expect((clock.now - signedInAt) / dayMs).toBe(7);
  });
});

describe("a cookie is refused", () => {
  const { sessions } = start();
  const value = sessions.begin(plain).split(";")[0]?.split("=")[1] ?? "";
  const [id = "", signedInAt = "", expiresAt = "", signature = ""] = value.split(".");
  const cases: readonly (readonly [string, string])[] = [
    [
      "with a later end",
      [id, signedInAt, (Number.parseInt(expiresAt, 36) + 1).toString(36), signature].join("."),
    ],
    [
      "with a later sign-in",
      [id, (Number.parseInt(signedInAt, 36) + 1).toString(36), expiresAt, signature].join("."),
    ],
    [
      "with another id",
      [id.replace(/^./, (first) => (first === "A" ? "B" : "A")), signedInAt, expiresAt, signature].join("."),
    ],
    ["without its signature", [id, signedInAt, expiresAt].join(".")],
    ["with an empty signature", [id, signedInAt, expiresAt, ""].join(".")],
    ["with a signature of zeros", [id, signedInAt, expiresAt, "A".repeat(43)].join(".")],
    ["that is empty", ""],
    ["that is longer", `${value}A`],
    ["that is endless", "A".repeat(8000)],
    ["with its times swapped", [id, expiresAt, signedInAt, signature].join(".")],
  ];
  for (const [what, forged] of cases)
    test(what, () => {
      expect(sessions.find(request({ cookie: `loom-9080=${value}` }))).toBeDefined();
      expect(sessions.find(request({ cookie: `loom-9080=${forged}` }))).toBeUndefined();
    });
});

describe("a restart", () => {
  test("keeps sessions if the admin token is the same", () => {
    const used = begin(start().sessions);
    expect(start().sessions.find(used)).toBeDefined();
  });

  test("ends them if it is another one", () => {
    const used = begin(start().sessions);
    expect(start({ adminToken: `${adminToken}.` }).sessions.find(used)).toBeUndefined();
  });

  test("ends them if there is none", () => {
    const used = begin(start({ adminToken: undefined }).sessions);
    expect(start({ adminToken: undefined }).sessions.find(used)).toBeUndefined();
  });
});

describe("signing out", () => {
  test("removes the cookie", () => {
    const { sessions } = start();
    const used = begin(sessions);
    expect(sessions.end(used, sessionOf(sessions, used))).toBe(
      "loom-9080=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict",
    );
  });

  test("ends the session for all of its cookies, also for a copied one", () => {
    const { sessions, clock } = start();
    const first = begin(sessions);
    clock.now += 2 * hourMs;
    const second = renewed(sessions, first);
    sessions.end(first, sessionOf(sessions, first));
    expect(sessions.find(first)).toBeUndefined();
    expect(second && sessions.find(second)).toBeUndefined();
  });

  test("does not end other sessions", () => {
    const { sessions } = start();
    const mine = begin(sessions);
    const other = begin(sessions);
    sessions.end(mine, sessionOf(sessions, mine));
    expect(sessions.find(other)).toBeDefined();
  });

  test("of more sessions than can be remembered ends all sessions, so that no ended one becomes valid again", () => {
    const { sessions, clock } = start();
    const first = begin(sessions);
    const other = begin(sessions);
    sessions.end(first, sessionOf(sessions, first));
    for (let i = 0; i < 10_000; i++) {
      const used = begin(sessions);
      sessions.end(used, sessionOf(sessions, used));
    }
    expect(sessions.find(first)).toBeUndefined();
    expect(sessions.find(other)).toBeUndefined();
    clock.now += 1;
    expect(sessions.find(begin(sessions))).toBeDefined();
  });
});

describe("the validity of a session", () => {
  test("lasts until the session ends", () => {
    const { sessions, clock } = start();
    const isValid = sessions.trackValidity(begin(sessions));
    clock.now += 12 * hourMs - 1;
    expect(isValid()).toBe(true);
    clock.now += 1;
    expect(isValid()).toBe(false);
  });

  test("lasts longer if another request renews the session", () => {
    const { sessions, clock } = start();
    const used = begin(sessions);
    const isValid = sessions.trackValidity(used);
    clock.now += 11 * hourMs;
    renewed(sessions, used);
    clock.now += 11 * hourMs;
    expect(isValid()).toBe(true);
    clock.now += hourMs;
    expect(isValid()).toBe(false);
  });

  test("ends at once when the client signs out", () => {
    const { sessions } = start();
    const used = begin(sessions);
    const isValid = sessions.trackValidity(used);
    sessions.end(used, sessionOf(sessions, used));
    expect(isValid()).toBe(false);
  });

  test("is false without a session", () => {
    expect(start().sessions.trackValidity(plain)()).toBe(false);
  });
});
