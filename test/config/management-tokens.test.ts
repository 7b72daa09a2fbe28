import { describe, expect, test } from "bun:test";
import { managementTokenWarnings } from "../../server/config/management-tokens.ts";
import { parseConfig } from "./parse.ts";
import { refusal } from "./refusal.ts";

const plain = "[server]\ntls = false\n";

const variables = [
  ["LOOM_ADMIN_TOKEN", "adminToken"],
  ["LOOM_METRICS_TOKEN", "metricsToken"],
] as const;

for (const [variable, name] of variables)
  describe(variable, () => {
    const read = (value: string) => parseConfig(plain, { [variable]: value }).management[name];

    test("is read from the environment", () => {
      expect(read("a-token-of-some-length")).toBe("a-token-of-some-length");
    });

    test("is not set by default, and if it is empty", () => {
      expect(parseConfig(plain, {}).management[name]).toBeUndefined();
      expect(read("")).toBeUndefined();
    });

    for (const [what, value] of [
      ["a blank", " "],
      ["blanks of several kinds", " \u00a0\u2003"],
      ["a line break after the token", "hunter2\n"],
      ["a control character", "hunter\u00002"],
      ["a C1 control character", "hunter\u00852"],
      ["a blank before the token", " hunter2"],
      ["a blank after the token", "hunter2 "],
      ["half of a surrogate pair", "hunter\ud8002"],
      ["a very long text", "hunter2".repeat(1000)],
    ] as const)
      test(`${what} is refused by an error that names the variable and does not show the token`, () => {
        const message = refusal(() => parseConfig(plain, { [variable]: value }));
        expect(message).toStartWith(`config: ${variable} is text (not shown); allowed: `);
        expect(message).not.toContain("hunter");
      });

    test("is not a key of the file", () => {
      const toml = `[management]\n${name} = "a-token-of-some-length"\n${plain}`;
      expect(refusal(() => parseConfig(toml, {}))).toStartWith('config: unknown section "management"');
    });

    test("with fewer than 16 characters causes a warning that does not show it", () => {
      const warnings = (value: string) =>
        managementTokenWarnings(parseConfig(plain, { [variable]: value }).management);
      expect(warnings("fifteen-letters")).toEqual([
        `${variable} has fewer than 16 characters; better: openssl rand -hex 24`,
      ]);
      expect(warnings("sixteen-letters-")).toEqual([]);
    });
  });

test("an admin token may contain blanks and letters of any script", () => {
  const adminToken = "correct horse Batterie Stäpel";
  expect(parseConfig(plain, { LOOM_ADMIN_TOKEN: adminToken }).management.adminToken).toBe(adminToken);
});

test("a metrics token that a header cannot carry is refused", () => {
  for (const value of ["two words", "schlüssel"])
    expect(refusal(() => parseConfig(plain, { LOOM_METRICS_TOKEN: value }))).toContain("printable ASCII");
});

test("there is no warning without tokens", () => {
  expect(managementTokenWarnings(parseConfig(plain, {}).management)).toEqual([]);
});
