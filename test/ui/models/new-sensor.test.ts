import { describe, expect, test } from "bun:test";
import { loadSensors } from "../../../server/config/sensors.ts";
import type { SetupAnswer } from "../../../server/management/api/answers.ts";
import { freeId, ingestUrl, isUsableId, newToken, sensorSnippets } from "../../../ui/models/new-sensor.ts";

const setup: SetupAnswer = {
  ingest: { isTls: true, port: 8443, host: null, isCertificateSelfSigned: true },
  tokenFile: null,
};

describe("the texts to paste for a new sensor", () => {
  const token = newToken();
  const snippets = sensorSnippets(setup, "loom.example", "vps-1", token);

  test("Loom reads the variable as the sensor with its token", async () => {
    const [name = "", value = ""] = snippets.environment.split("=");
    expect((await loadSensors({ tokenFile: undefined }, { [name]: value })).sensors).toEqual([
      { sensorId: "vps-1", alias: expect.anything(), token },
    ]);
  });

  test("Spip gets the address, the id, the token, and that the certificate is self-signed", () => {
    expect(snippets.spip).toBe(
      `[loom]\nenabled = true\nurl = "https://loom.example:8443/api/v1/ingest"\nsensor_id = "vps-1"\ntoken = "${token}"\ninsecure_skip_verify = true`,
    );
  });

  test("the token differs each time and is as long as the documentation says", () => {
    expect(newToken()).not.toBe(token);
    expect(token).toMatch(/^[0-9a-f]{48}$/);
  });

  test("an IPv6 address is in brackets", () => {
    expect(ingestUrl(setup, "2001:db8::1")).toBe("https://[2001:db8::1]:8443/api/v1/ingest");
  });

  test("an id that would break a shell, TOML or the token file, or that Loom reserves, is not usable", () => {
    const ids = ["vps-1", "unknown", "", "-a", "a b", "a'b", 'a"b', "a,b", "a_b", "a\nb", "x".repeat(64)];
    expect(ids.filter(isUsableId)).toEqual(["vps-1"]);
  });
});

test("the id that is suggested belongs to no sensor yet", () => {
  expect(freeId(new Set())).toBe("vps-1");
  expect(freeId(new Set(["vps-1", "vps-2", "vps-4"]))).toBe("vps-3");
});
