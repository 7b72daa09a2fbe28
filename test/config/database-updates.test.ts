import { describe, expect, test } from "bun:test";
import { parseConfig } from "./parse.ts";
import { refusal } from "./refusal.ts";

const account = { LOOM_MAXMIND_ACCOUNT_ID: "123456", LOOM_MAXMIND_LICENSE_KEY: "hunter2_mmk" };
const paths = 'geoip_db_path = "/db/city.mmdb"\nasn_db_path = "/db/asn.mmdb"';

function configWith(enrichment: string, update: string): string {
  return `[server]\ntls = false\n[enrichment]\n${enrichment}\n[enrichment.update]\n${update}\n`;
}

function read(enrichment: string, update: string, environment: Record<string, string> = {}) {
  return parseConfig(configWith(enrichment, update), environment).enrichment.update;
}

function refused(enrichment: string, update: string, environment: Record<string, string> = {}): string {
  return refusal(() => read(enrichment, update, environment));
}

test("nothing is downloaded by default", () => {
  expect(read(paths, "").databases).toEqual([]);
});

test("each database with a source is downloaded to its path", () => {
  expect(read(paths, 'geoip = "dbip:city-lite"\nasn = "https://a.example/asn.mmdb"').databases).toEqual([
    { role: "geoip", path: "/db/city.mmdb", source: { kind: "dbip", edition: "city-lite" } },
    { role: "asn", path: "/db/asn.mmdb", source: { kind: "url", url: "https://a.example/asn.mmdb" } },
  ]);
});

test("the environment overrides a source", () => {
  const environment = { LOOM_ASN_UPDATE_SOURCE: "https://a.example/asn.mmdb?token=hunter2" };
  expect(read(paths, 'asn = "dbip:asn-lite"', environment).databases[0]?.source).toEqual({
    kind: "url",
    url: "https://a.example/asn.mmdb?token=hunter2",
  });
});

test("a source that is refused is not shown if it may contain a secret", () => {
  const message = refused(paths, 'asn = "ftp://a.example/asn.mmdb?token=hunter2"');
  expect(message).toStartWith("config: enrichment.update: asn is text (not shown); allowed: ");
});

test("a source without a path is refused", () => {
  expect(refused("", 'asn = "dbip:asn-lite"')).toBe(
    "config: enrichment.update: asn is downloaded to asn_db_path, which is not set; allowed: one path",
  );
});

test("a list of paths is refused, because it does not say which file is downloaded", () => {
  expect(refused('geoip_db_path = ["/a", "/b"]', 'geoip = "dbip:city-lite"')).toBe(
    "config: enrichment.update: geoip is downloaded to geoip_db_path, which is a list; allowed: one path",
  );
});

test("two sources for the same path are refused", () => {
  const same = 'geoip_db_path = "/db/both.mmdb"\nasn_db_path = "/db/both.mmdb"';
  expect(refused(same, 'geoip = "dbip:city-lite"\nasn = "dbip:asn-lite"')).toStartWith(
    "config: enrichment.update: geoip and asn would both be stored in the same file",
  );
});

describe("a database from MaxMind", () => {
  const city = 'geoip = "maxmind:GeoLite2-City"';

  test("has the account from the environment", () => {
    expect(read(paths, city, account).maxmindAccount).toEqual({
      accountId: "123456",
      licenseKey: "hunter2_mmk",
    });
  });

  test.each(["LOOM_MAXMIND_ACCOUNT_ID", "LOOM_MAXMIND_LICENSE_KEY"])("is refused without %s", (variable) => {
    expect(refused(paths, city, { ...account, [variable]: "" })).toBe(
      "config: enrichment.update: geoip is from MaxMind, which needs LOOM_MAXMIND_ACCOUNT_ID and LOOM_MAXMIND_LICENSE_KEY in the environment",
    );
  });

  test.each([
    ["LOOM_MAXMIND_ACCOUNT_ID", "hunter2"],
    ["LOOM_MAXMIND_LICENSE_KEY", "hunter2 "],
    ["LOOM_MAXMIND_LICENSE_KEY", "hunter2\r\nX: y"],
  ])("is refused with a wrong %s, which is not shown", (variable, value) => {
    const message = refused(paths, city, { ...account, [variable]: value });
    expect(message).toStartWith(`config: ${variable} is text (not shown); allowed: `);
  });
});

test("the account is not in the configuration if no database is from MaxMind", () => {
  expect(JSON.stringify(parseConfig(configWith(paths, 'asn = "dbip:asn-lite"'), account))).not.toContain(
    "hunter2",
  );
});
