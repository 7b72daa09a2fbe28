import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { maxTestMs, plainConfig, runToEnd, startExecutable } from "../support/executable.ts";
import { signInRequest } from "../support/management.ts";

setDefaultTimeout(maxTestMs);

const forwarded = { "x-forwarded-for": "203.0.113.9, 192.0.2.1" };

/** The clients in the log after a refused batch and a wrong token at the sign-in, each with X-Forwarded-For. */
async function loggedClients(proxies: string): Promise<unknown[]> {
  await using loom = await startExecutable({ config: `${plainConfig}${proxies}\n` });
  expect((await fetch(loom.ingestUrl, { method: "POST", headers: forwarded })).status).toBe(401);
  const { headers, ...request } = signInRequest("wrong");
  const signIn = { ...request, headers: { ...(headers as Record<string, string>), ...forwarded } };
  expect((await fetch(`${loom.managementUrl}/api/v1/session`, signIn)).status).toBe(401);
  const lines = [await loom.logged("request refused"), await loom.logged("wrong token at the sign-in")];
  return lines.flat().map(({ client }) => client);
}

describe("the client in the log, on both ports,", () => {
  test("is the one that a trusted proxy names", async () => {
    expect(await loggedClients('trusted_proxies = ["127.0.0.1"]')).toEqual(["192.0.2.1", "192.0.2.1"]);
  });

  test("is the other end of the connection if it is not a trusted proxy", async () => {
    expect(await loggedClients('trusted_proxies = ["10.0.0.0/8"]')).toEqual(["127.0.0.1", "127.0.0.1"]);
    expect(await loggedClients("")).toEqual(["127.0.0.1", "127.0.0.1"]);
  });
});

test("a network with bits behind its prefix ends the start with the right network", async () => {
  const { status, stderr } = await runToEnd({ config: `${plainConfig}trusted_proxies = ["10.0.0.1/8"]\n` });
  expect(status).toBe(1);
  expect(stderr).toContain("the network is 10.0.0.0/8");
});
