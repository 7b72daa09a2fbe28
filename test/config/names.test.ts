import { expect, test } from "bun:test";
import { parseConfig } from "./parse.ts";
import { refusal } from "./refusal.ts";

/** A fact, a file, and the error on the file. */
const facts: readonly (readonly [string, string, string])[] = [
  [
    "the error on a misspelled key names the nearest one",
    '[server]\nlisten_adress = ":8080"',
    'config: server: unknown key "listen_adress" (did you mean "listen_address"?)',
  ],
  [
    "the error on a key in the wrong case names the right one",
    "[server]\nTLS = true",
    'config: server: unknown key "TLS" (did you mean "tls"?)',
  ],
  [
    "the error on a misspelled key of a nested section names the nearest one",
    "[enrichment.dns]\nmax_pqs = 1",
    'config: enrichment.dns: unknown key "max_pqs" (did you mean "max_qps"?)',
  ],
  [
    "the error on an unknown key without a similar one lists the section's keys",
    "[logging]\ncolour = true",
    'config: logging: unknown key "colour" (known: level, format)',
  ],
  [
    "the known names of a section include the sections within it",
    "[enrichment]\nwhatever_it_is = true",
    'config: enrichment: unknown key "whatever_it_is" (known: geoip_db_path, asn_db_path, builtin_databases, source_address_fields, known_scanners, update, dns)',
  ],
  [
    "the error on a key in the wrong section names the right one",
    '[server]\ntoken_file = "a"',
    'config: server: unknown key "token_file" (it belongs in [auth])',
  ],
  [
    "the error on a key outside the sections names the right one",
    'listen_address = ":8080"',
    'config: unknown key "listen_address" (it belongs in [server])',
  ],
  [
    "the error on a key that two sections have names both",
    "[output]\nenabled = true",
    'config: output: unknown key "enabled" (it belongs in [enrichment.dns] or [output.outbox])',
  ],
  [
    "the error on a misspelled section names the nearest one",
    "[sever]\ntls = false",
    'config: unknown section "sever" (did you mean "server"?)',
  ],
  [
    "the error on a nested section without its outer one names the whole one",
    "[outbox]\nenabled = true",
    'config: unknown section "outbox" (did you mean "output.outbox"?)',
  ],
  [
    "the error on an unknown section without a similar one lists the sections",
    "[tracing]",
    'config: unknown section "tracing" (known: server, auth, limits, enrichment, output, logging, observability, dashboard, ignore)',
  ],
  [
    "__proto__ is an unknown key",
    "[server]\n__proto__ = 1",
    'config: server: unknown key "__proto__" (known: listen_address, tls, cert_file, key_file, tls_ciphers, management_listen_address, management_tls, management_host_names, trusted_proxies)',
  ],
  [
    "constructor is an unknown key",
    "[logging]\nconstructor = 1",
    'config: logging: unknown key "constructor" (known: level, format)',
  ],
  [
    "__proto__ is an unknown section",
    "[__proto__]\ntls = false",
    'config: unknown section "__proto__" (known: server, auth, limits, enrichment, output, logging, observability, dashboard, ignore)',
  ],
  [
    "constructor is an unknown section within a section",
    "[enrichment.constructor]",
    'config: enrichment: unknown section "constructor" (known: geoip_db_path, asn_db_path, builtin_databases, source_address_fields, known_scanners, update, dns)',
  ],
  [
    "a value instead of a section is refused",
    "server = 5",
    "config: server: is 5; allowed: one section, [server]",
  ],
  [
    "a value instead of a nested section is refused",
    "[enrichment]\ndns = true",
    "config: enrichment.dns: is true; allowed: one section, [enrichment.dns]",
  ],
  [
    "a list of sections is refused",
    "[[server]]\ntls = false",
    "config: server: is a list; allowed: one section, [server]",
  ],
  [
    "a section instead of a value is refused",
    "[server.listen_address]\nport = 1",
    'config: server: listen_address is a section; allowed: ":port", "host:port" or "[IPv6]:port", with a port from 0 to 65535',
  ],
];

for (const [fact, toml, message] of facts) {
  test(fact, () => {
    expect(refusal(() => parseConfig(toml, {}))).toBe(message);
  });
}

test("the error on an unknown key with line breaks is one line", () => {
  expect(refusal(() => parseConfig('[server]\n"a\\nb\\u2028c\\u001b" = 1', {}))).toStartWith(
    'config: server: unknown key "a\\nb\\u{2028}c\\u001b" (',
  );
});

test("the error on a very long unknown key is short", () => {
  expect(refusal(() => parseConfig(`[logging]\n${"a".repeat(10_000)} = 1`, {})).length).toBeLessThan(200);
});

test("a section may be written as an inline table", () => {
  expect(parseConfig("server = { tls = false }", {}).server.tls).toBeUndefined();
});
