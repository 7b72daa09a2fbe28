import { describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import { createSignIn, type SignIn, type SignInOptions } from "../../../server/management/sign-in/sign-in.ts";
import type { ManagementOrigin } from "../../../server/management/sign-in/sign-in-link.ts";
import { recordingLog } from "../../support/log.ts";

const request = new Request("http://loom.example:9080/api/v1/session");

function start({ host = "127.0.0.1", ...options }: Partial<SignInOptions & { host: string }> = {}) {
  const log = recordingLog();
  const isTls = options.isTls === true;
  const address = { text: "", host: host === "" ? undefined : host, port: 0 };
  const origin: ManagementOrigin = { address, port: 9080, isTls };
  const signIn = createSignIn({
    adminToken: undefined,
    isTls,
    log,
    origin: () => origin,
    clientOf: () => "192.0.2.1",
    failedAttempts: { slowDown: async () => undefined },
    ...options,
  });
  signIn.stop();
  const linksLogged = () =>
    log.lines.filter(({ message }) => message === "sign in to the dashboard").map(({ fields }) => fields.url);
  return { signIn, log, linksLogged };
}

const tokenOf = (link: string | undefined) => link?.split("#")[1] ?? "";

/** What signing in with a token gives: "accepted", or the refusal. */
async function outcome(signIn: SignIn, token: string) {
  const attempt = await signIn.attempt(request, token);
  return attempt.kind === "accepted" ? "accepted" : attempt.refusal;
}

const unauthorized = { code: "unauthorized" } as const;

describe("without an admin token", () => {
  test("the link has the token in the fragment, which no server receives", () => {
    expect(start().signIn.link()).toMatch(/^http:\/\/127\.0\.0\.1:9080\/sign-in#[\w-]{43}$/);
  });

  test("the link is https under TLS", () => {
    expect(start({ isTls: true }).signIn.link()).toStartWith("https://127.0.0.1:9080/sign-in#");
  });

  for (const host of ["", "0.0.0.0", "::"])
    test(`the link to ${host || "every interface"} has the name of the machine`, () => {
      expect(start({ host }).signIn.link()).toStartWith(`http://${hostname()}:9080/sign-in#`);
    });

  test("the link to an IPv6 address has it in brackets", () => {
    expect(start({ host: "::1" }).signIn.link()).toStartWith("http://[::1]:9080/sign-in#");
  });

  test("a link works once", async () => {
    const { signIn } = start();
    const token = tokenOf(signIn.link());
    expect(await outcome(signIn, token)).toEqual("accepted");
    expect(await outcome(signIn, token)).toEqual(unauthorized);
  });

  test("the next link is logged when one is used, and works", async () => {
    const { signIn, linksLogged } = start();
    signIn.announceLink();
    await signIn.attempt(request, tokenOf(signIn.link()));
    expect(linksLogged()).toHaveLength(2);
    expect(new Set(linksLogged()).size).toBe(2);
    expect(await outcome(signIn, tokenOf(String(linksLogged()[1])))).toEqual("accepted");
  });

  test("a wrong token neither uses up the link nor logs one", async () => {
    const { signIn, linksLogged } = start();
    const link = signIn.link();
    expect(await outcome(signIn, "wrong")).toEqual(unauthorized);
    expect(signIn.link()).toBe(link);
    expect(linksLogged()).toEqual([]);
  });

  test("an empty token is refused", async () => {
    expect(await outcome(start().signIn, "")).toEqual(unauthorized);
  });

  test("there is no link before the port listens", () => {
    const { signIn, log } = start({ origin: () => undefined });
    signIn.announceLink();
    expect(signIn.link()).toBeUndefined();
    expect(log.lines).toEqual([]);
  });
});

describe("with an admin token", () => {
  const adminToken = "correct horse battery staple";

  test("the token works any number of times", async () => {
    const { signIn } = start({ adminToken });
    expect(await outcome(signIn, adminToken)).toEqual("accepted");
    expect(await outcome(signIn, adminToken)).toEqual("accepted");
  });

  test("a similar token is refused", async () => {
    const { signIn } = start({ adminToken });
    for (const near of ["", adminToken.slice(0, -1), `${adminToken}x`, adminToken.toUpperCase()])
      expect(await outcome(signIn, near)).toEqual(unauthorized);
  });

  test("there is no link, and none is logged", async () => {
    const { signIn, linksLogged } = start({ adminToken });
    signIn.announceLink();
    await signIn.attempt(request, adminToken);
    expect(signIn.link()).toBeUndefined();
    expect(linksLogged()).toEqual([]);
  });

  test("a sign-in is logged without the token", async () => {
    const { signIn, log } = start({ adminToken });
    await signIn.attempt(request, adminToken);
    expect(log.lines).toEqual([
      { level: "info", message: "signed in to the dashboard", fields: { client: "192.0.2.1" } },
    ]);
  });

  test("a wrong token is logged as an event, without its text", async () => {
    const { signIn, log } = start({ adminToken });
    await signIn.attempt(request, "guessed-token");
    expect(JSON.stringify(log.lines)).toContain("wrong token at the sign-in");
    expect(JSON.stringify(log.lines)).not.toContain("guessed-token");
  });

  test("a wrong token delays the client of its request, whatever proxy passed it on", async () => {
    const delayed: unknown[] = [];
    const slowDown = async (client: string | undefined) => void delayed.push(client);
    const clientOf = (asked: Request) => (asked === request ? "192.0.2.77" : undefined);
    const { signIn } = start({ adminToken, clientOf, failedAttempts: { slowDown } });
    await signIn.attempt(request, "wrong");
    expect(delayed).toEqual(["192.0.2.77"]);
  });

  test("too many wrong tokens at once are refused, with the time after which to retry", async () => {
    const { signIn } = start({ adminToken, failedAttempts: { slowDown: async () => 3 } });
    expect(await outcome(signIn, "wrong")).toEqual({ code: "too_many_attempts", retryAfterSeconds: 3 });
  });

  test("the right token is accepted at once while answers to wrong ones wait", async () => {
    const { signIn } = start({ adminToken, failedAttempts: { slowDown: () => new Promise(() => {}) } });
    for (let i = 0; i < 200; i++) void signIn.attempt(request, "wrong");
    expect(await outcome(signIn, adminToken)).toEqual("accepted");
  });
});
