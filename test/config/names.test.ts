import { expect, test } from "bun:test";
import { parseConfig } from "./parse.ts";
import { refusal } from "./refusal.ts";

/** What is wrong in a file, as its error says. */
const facts: readonly (readonly [string, string, string])[] = [
  [
    "a misspelled key is told the nearest one",
    '[server]\nlisten_adress = ":8080"',
    'config: server: unknown key "listen_adress" (did you mean "listen_address"?)',
  ],
  [
    "a key in the wrong case is told the right one",
    "[server]\nTLS = true",
    'config: server: unknown key "TLS" (did you mean "tls"?)',
  ],
  [
    "a misspelled key of a section within a section is told the nearest one",
    "[enrichment.dns]\nmax_pqs = 1",
    'config: enrichment.dns: unknown key "max_pqs" (did you mean "max_qps"?)',
  ],
  [
    "an unknown key with no near one is told the section's keys",
    "[logging]\ncolour = true",
    'config: logging: unknown key "colour" (known here: level, format)',
  ],
  [
    "a section's known names include the sections within it",
    "[enrichment]\nwhatever_it_is = true",
    'config: enrichment: unknown key "whatever_it_is" (known here: geoip_db_path, asn_db_path, dns)',
  ],
  [
    "a key in the wrong section is told where it belongs",
    '[server]\ntoken_file = "a"',
    'config: server: unknown key "token_file" (it belongs in [auth])',
  ],
  [
    "a key outside the sections is told where it belongs",
    'listen_address = ":8080"',
    'config: unknown key "listen_address" (it belongs in [server])',
  ],
  [
    "a key of two sections is told both",
    "[output]\nenabled = true",
    'config: output: unknown key "enabled" (it belongs in [enrichment.dns] or [output.outbox])',
  ],
  [
    "a misspelled section is told the nearest one",
    "[sever]\ntls = false",
    'config: unknown section "sever" (did you mean "server"?)',
  ],
  [
    "a section without its outer one is told the whole name",
    "[outbox]\nenabled = true",
    'config: unknown section "outbox" (did you mean "output.outbox"?)',
  ],
  [
    "an unknown section with no near one is told the sections",
    "[tracing]",
    'config: unknown section "tracing" (known here: server, auth, limits, enrichment, output, logging, observability, dashboard)',
  ],
  [
    "__proto__ is an unknown key",
    "[server]\n__proto__ = 1",
    'config: server: unknown key "__proto__" (known here: listen_address, tls, cert_file, key_file, management_listen_address, management_tls)',
  ],
  [
    "constructor is an unknown key",
    "[logging]\nconstructor = 1",
    'config: logging: unknown key "constructor" (known here: level, format)',
  ],
  [
    "__proto__ is an unknown section",
    "[__proto__]\ntls = false",
    'config: unknown section "__proto__" (known here: server, auth, limits, enrichment, output, logging, observability, dashboard)',
  ],
  [
    "constructor is an unknown section within a section",
    "[enrichment.constructor]",
    'config: enrichment: unknown section "constructor" (known here: geoip_db_path, asn_db_path, dns)',
  ],
  [
    "a value in a section's place is refused",
    "server = 5",
    "config: server: is 5; allowed: one section, [server]",
  ],
  [
    "a value in the place of a section within a section is refused",
    "[enrichment]\ndns = true",
    "config: enrichment.dns: is true; allowed: one section, [enrichment.dns]",
  ],
  [
    "a list of sections is refused",
    "[[server]]\ntls = false",
    "config: server: is a list; allowed: one section, [server]",
  ],
  [
    "a section in a value's place is refused",
    "[server.listen_address]\nport = 1",
    'config: server: listen_address is a section; allowed: ":port", "host:port" or "[IPv6]:port", with a port from 0 to 65535',
  ],
];

for (const [fact, toml, message] of facts) {
  test(fact, () => {
    expect(refusal(() => parseConfig(toml, {}))).toBe(message);
  });
}

test("an unknown key with line breaks stays on the error's line", () => {
  expect(refusal(() => parseConfig('[server]\n"a\\nb\\u2028c\\u001b" = 1', {}))).toStartWith(
    'config: server: unknown key "a\\nb\\u{2028}c\\u001b" (',
  );
});

test("an endless unknown key is cut", () => {
  expect(refusal(() => parseConfig(`[logging]\n${"a".repeat(10_000)} = 1`, {})).length).toBeLessThan(200);
});

test("a section may be written as an inline table", () => {
  expect(parseConfig("server = { tls = false }", {}).server.tls).toBeUndefined();
});
