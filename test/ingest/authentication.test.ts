import { describe, expect, test } from "bun:test";
import { createAuthenticator } from "../../server/ingest/authentication.ts";

const authenticator = createAuthenticator([
  { sensorId: "vps-frankfurt-01", alias: undefined, token: "frankfurt-token==" },
  { sensorId: "vps-tokyo-01", alias: "vps_tokyo_01", token: "t".repeat(300) },
]);

describe("X-Spip-ID is shown", () => {
  for (const [what, claimed, text, sensorId] of [
    ["as a sensor's id", "vps-tokyo-01", "vps-tokyo-01", "vps-tokyo-01"],
    ["with the sensor of another spelling", "vps_tokyo_01", "vps_tokyo_01", "vps-tokyo-01"],
    ["without a sensor if none has that id", "vps-x", "vps-x", undefined],
    ["not at all if it is absent", null, undefined, undefined],
    ["not at all if it is empty", "", undefined, undefined],
    ["with unprintable characters escaped", "a\u001b[31mü\u202e", "a\\u001b[31m\\u00fc\\u202e", undefined],
  ] as const)
    test(what, () => {
      expect(authenticator.claimOf(claimed)).toEqual({ text, sensorId });
    });

  test("cut to the longest length of an id", () => {
    expect(authenticator.claimOf("x".repeat(5000)).text).toBe("x".repeat(128));
  });

  for (const claimed of [
    "frankfurt-token==",
    "Bearer frankfurt-token==",
    "frankfurt-token==,vps-frankfurt-01",
    "LOOM_SENSOR_vps_frankfurt_01=frankfurt-token==",
    "token: frankfurt-token==",
    "t".repeat(300),
  ])
    test(`as a token if it holds one: ${claimed.slice(0, 50)}`, () => {
      expect(authenticator.claimOf(claimed)).toEqual({ text: "(a token)", sensorId: undefined });
    });
});

describe("a request is unauthorized because", () => {
  for (const [authorization, reason] of [
    [null, "the request has no Authorization header"],
    ["frankfurt-token==", "the Authorization header does not consist of Bearer and a token"],
    ["Bearer nonsense", "the token is not configured"],
    ["Bearer frankfurt-token==", "the token belongs to vps-frankfurt-01, but X-Spip-ID names another sensor"],
  ] as const)
    test(reason, () => {
      expect(authenticator.whyUnauthorized(authorization)).toBe(reason);
    });
});

describe("replaced credentials", () => {
  const before = { sensorId: "vps-1", alias: undefined, token: "old-token" };
  const after = [
    { sensorId: "vps-2", alias: undefined, token: "new-token" },
    { sensorId: "vps-3", alias: undefined, token: "third-token" },
  ];

  test("identify only the new sensors", () => {
    const authenticator = createAuthenticator([before]);
    expect(authenticator.sensorIds).toEqual(["vps-1"]);
    expect(authenticator.identify("Bearer old-token", null)).toBe("vps-1");
    authenticator.replace(after);
    expect(authenticator.sensorIds).toEqual(["vps-2", "vps-3"]);
    expect(authenticator.identify("Bearer old-token", null)).toBeUndefined();
    expect(authenticator.identify("Bearer new-token", null)).toBe("vps-2");
    expect(authenticator.identify("Bearer third-token", null)).toBe("vps-3");
  });

  test("decide what is a token in X-Spip-ID", () => {
    const authenticator = createAuthenticator([before]);
    authenticator.replace(after);
    expect(authenticator.claimOf("new-token").text).toBe("(a token)");
    expect(authenticator.claimOf("old-token").text).toBe("old-token");
  });
});
