import { describe, expect, test } from "bun:test";
import { IgnoreRules } from "../../server/enrich/ignore-rules.ts";
import { Ledger } from "../../server/telemetry/ledger.ts";
import { parseConfig } from "../config/parse.ts";

const rule = (name: string, networks: readonly string[], more = "") =>
  `[[ignore]]\nname = "${name}"\nnetworks = ${JSON.stringify(networks)}\n${more}\n`;

function rulesOf(...tables: readonly string[]): IgnoreRules {
  return new IgnoreRules(parseConfig(tables.join(""), {}).ignore, new Ledger());
}

describe("the rule of an address", () => {
  const rules = rulesOf(
    rule("scanners", ["198.51.100.0/24", "2001:db8::/32"]),
    rule("one", ["192.0.2.1", "2001:db9::1"]),
  );
  const facts: readonly (readonly [address: string, name: string | undefined])[] = [
    ["198.51.100.0", "scanners"],
    ["198.51.100.255", "scanners"],
    ["198.51.99.255", undefined],
    ["198.51.101.0", undefined],
    ["::ffff:198.51.100.7", "scanners"],
    ["::FFFF:c633:6407", "scanners"],
    ["2001:db8::", "scanners"],
    ["2001:0DB8:ffff:ffff:ffff:ffff:ffff:ffff", "scanners"],
    ["2001:db9::", undefined],
    ["2001:db9::1", "one"],
    ["192.0.2.1", "one"],
    ["192.0.2.2", undefined],
    ["198.51.100.7 ", undefined],
    ["198.51.100.007", undefined],
    ["example.com", undefined],
    ["", undefined],
  ];
  for (const [address, name] of facts)
    test(`${JSON.stringify(address)}: ${name ?? "none"}`, () => {
      expect(rules.ruleFor(address)?.name).toBe(name);
    });
});

test("a network written as IPv4-mapped IPv6 has the IPv4 addresses", () => {
  expect(rulesOf(rule("mapped", ["::ffff:192.0.2.0/120"])).ruleFor("192.0.2.77")?.name).toBe("mapped");
});

test("::/0 has every IPv6 address and no IPv4 address", () => {
  const rules = rulesOf(rule("six", ["::/0"]));
  expect(rules.ruleFor("2a00::1")?.name).toBe("six");
  expect(rules.ruleFor("192.0.2.1")).toBeUndefined();
});

test("the first rule that has the address applies, however small the network of a later one is", () => {
  const wide = rule("wide", ["10.0.0.0/8"]);
  const narrow = rule("narrow", ["10.1.2.3"]);
  expect(rulesOf(wide, narrow).ruleFor("10.1.2.3")?.name).toBe("wide");
  expect(rulesOf(narrow, wide).ruleFor("10.1.2.3")?.name).toBe("narrow");
});

test("replaced rules have another generation, and apply from then on", () => {
  const rules = rulesOf(rule("old", ["10.0.0.0/8"]));
  const { generation } = rules;
  rules.replace(parseConfig(rule("new", ["192.0.2.0/24"]), {}).ignore);
  expect(rules.generation).not.toBe(generation);
  expect(rules.ruleFor("10.0.0.1")).toBeUndefined();
  expect(rules.ruleFor("192.0.2.1")?.name).toBe("new");
});

test("a rule keeps its count when the rules are replaced; with another action it counts from 0", () => {
  const rules = rulesOf(rule("own", ["10.0.0.0/8"]));
  const tally = rules.ruleFor("10.0.0.1")?.tally;
  if (tally) tally.events += 5;
  rules.replace(parseConfig(rule("own", ["10.1.0.0/16"]), {}).ignore);
  expect(rules.ruleFor("10.1.0.1")?.tally.events).toBe(5);
  rules.replace(parseConfig(rule("own", ["10.1.0.0/16"], 'action = "drop"'), {}).ignore);
  expect(rules.ruleFor("10.1.0.1")?.tally.events).toBe(0);
});
