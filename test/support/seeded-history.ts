import { addressKey, networkKeys } from "../../server/address-key.ts";
import { type ColumnName, columnNames } from "../../server/event/columns.ts";
import { foldCase } from "../../server/event/search-text.ts";
import { parseNetwork } from "../../server/network.ts";
import type { Query, QueryTerm, ValuePattern } from "../../server/query/query.ts";
import { createRandom, type Random } from "./random.ts";

/*
 * Random events and random queries for readers of a history. The values are few, so that queries find something, and hostile:
 * quotes, wildcards, escapes, control characters, letters that change their length when they are folded, bytes that are not
 * UTF-8.
 */

const words = [
  ...[
    "root",
    "admin",
    "wget http://x/a.sh",
    "/.env",
    "/cgi-bin/luci",
    "GET",
    "kernel",
    "Kiosk",
    "İx",
    "\u212aelvin",
  ],
  ...[
    "it's",
    'say "hi"',
    "back\\slash",
    "100%",
    "a_b",
    "<script>&",
    "\u0000nul",
    "tab\tline\nbreak",
    "\u001b[31m",
  ],
  ...[
    "Straße",
    "ΣΊΣΥΦΟΣ",
    "日本語",
    "😀x",
    "\u2028",
    "'; DROP TABLE x; --",
    "\\",
    "%",
    "_",
    "*?",
    "-- ",
    "/*",
  ],
];
const addresses = [
  ...[
    "185.220.101.7",
    "185.220.1.1",
    "10.0.0.1",
    "2001:db8::1",
    "2001:DB8:0::2",
    "::ffff:203.0.113.9",
    "fe80::1",
  ],
  ...["not an address", "01.2.3.4", "fe80::1%eth0"],
];
const countries = ["CN", "de", "US", "Sverige", ""];
const sensors = ["vps-1", "vps-2", "Pi %_'", "日本"];

export interface SeededOptions {
  readonly seed: number;
  readonly count: number;
  /** Milliseconds since the epoch, a whole second. */
  readonly newest: number;
  /** Times are multiples of it. */
  readonly stepMs: number;
}

/** Documents over about two days. Several have the same time, and some are equal. */
export function seededDocuments({ seed, count, newest, stepMs }: SeededOptions): string[] {
  const random = createRandom(seed);
  const documents: string[] = [];
  for (let i = 0; i < count; i++) {
    const time = newest - random.below(172_800_000 / stepMs / 50) * stepMs * 50;
    const repeated = random.below(40) === 0 ? documents.at(-1) : undefined;
    documents.push(repeated ?? escaped(random, JSON.stringify(documentOf(random, time))));
  }
  return documents;
}

function documentOf(random: Random, time: number): unknown {
  const maybe = <Value>(value: () => Value) => (random.below(3) > 0 ? value() : undefined);
  const text = () => random.pick(words);
  return {
    "@timestamp": new Date(time).toISOString(),
    observer: { id: random.pick(sensors) },
    source: maybe(() => ({
      ip: random.pick(addresses),
      as: maybe(() => ({ number: random.pick([4134, 64512, 4294967295, 0, -1]) })),
      geo: maybe(() => ({ country_iso_code: random.pick(countries) })),
    })),
    destination: maybe(() => ({ port: random.pick([22, 23, 2222, 65535, 70000]) })),
    url: maybe(() => ({ path: random.pick([...words, "x".repeat(300), 5, ["/list"]]) })),
    user_agent: maybe(() => ({ original: `${text()}${text()}` })),
    tls: maybe(() => ({ client: { hash: { ja4: random.pick(["t13d1516h2", "t12d", text()]) } } })),
    http: maybe(() => ({ request: { hash: { ja4h: random.pick(["po11nn", "ge11"]) }, body: text() } })),
    ssh: maybe(() => ({ client: { hash: { hassh: random.pick(["aa", "bb"]) } } })),
    network: maybe(() => ({ community_id: `1:${random.below(5)}=` })),
    tags: maybe(() => random.pick<unknown>([["a", "b"], ["b"], "single", [text(), 5, "a", "a"], [], {}])),
    event: maybe(() => ({ id: String(random.below(1e9)), original_payload_hex: payloadHex(random) })),
  };
}

function payloadHex(random: Random): string {
  const bytes = random.pick([
    Buffer.from(`${random.pick(words)} ${random.pick(words)}`),
    Buffer.from([0, 0xff, 0xe2, 0x84, ...Buffer.from("Kernel"), 0x80]),
    Buffer.from(
      `GET / HTTP/1.1\r\nAuthorization: Basic ${btoa(random.pick(["root:toor", "admin:"]))}\r\n\r\n`,
    ),
  ]);
  return random.pick([bytes.toString("hex"), bytes.toString("hex").toUpperCase(), "0", "zz"]);
}

/** The same document, in which some characters are escaped that need not be. */
function escaped(random: Random, document: string): string {
  const escapeOne = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  switch (random.below(4)) {
    case 0:
      // As Go's encoder.
      return document.replace(/[<>&\u2028\u2029]/g, escapeOne);
    case 1:
      // As Python's.
      return document.replace(/[\u0080-\uffff]/g, escapeOne);
    case 2:
      return document
        .replace(/(?<=: ?"[^"\\]{0,9})[etk](?=[^"\\]*"[,}\]])/g, escapeOne)
        .replaceAll("/", "\\/");
    default:
      return document;
  }
}

/** Random queries of every kind of term, with and without bounds in time. */
export function seededQueries({ seed, count, newest }: Omit<SeededOptions, "stepMs">): Query[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const terms = Array.from({ length: random.below(4) }, () => randomTerm(random));
    const time = () => newest + 1 - random.below(172_800_000);
    const [since, until] = [time(), time()].toSorted((a, b) => a - b);
    return {
      terms,
      since: random.below(2) === 0 ? since : undefined,
      until: random.below(2) === 0 ? until : undefined,
    };
  });
}

function randomTerm(random: Random): QueryTerm {
  const isExcluded = random.below(3) === 0;
  if (random.below(3) === 0) {
    const word = random.pick(words);
    const from = random.below(word.length);
    const text = foldCase(word.slice(from, from + 1 + random.below(8)).toWellFormed()).replaceAll("\0", "");
    return { kind: "text", isExcluded, text: text === "" ? "e" : text };
  }
  const column = random.pick(columnNames);
  const values = Array.from({ length: 1 + random.below(3) }, () => randomValue(random, column));
  return { kind: "column", column, isExcluded, values };
}

function randomValue(random: Random, column: ColumnName): ValuePattern {
  switch (column) {
    case "ip":
      return addressPattern(random);
    case "asn":
    case "port": {
      const min = random.pick([0, 22, 100, 4000, 2 ** 32 - 1, 2 ** 40, -5]);
      if (random.below(2) === 0) return { kind: "exact", value: min };
      return { kind: "range", min, max: min + random.pick([0, 3000, 2 ** 50]) };
    }
    default:
      return textPattern(random, column);
  }
}

function addressPattern(random: Random): ValuePattern {
  if (random.below(6) === 0) return { kind: "wildcard", pattern: "*" };
  if (random.below(2) === 0)
    return { kind: "exact", value: addressKey(random.pick(addresses)) ?? addressKey("192.0.2.1") ?? "" };
  const network = parseNetwork(
    random.pick(["185.220.0.0/16", "0.0.0.0/0", "::/0", "2001:db8::/32", "10.0.0.1/32"]),
  );
  if (network.kind === "refused") throw new Error(network.refusal);
  return { kind: "network", ...networkKeys(network.value) };
}

function textPattern(random: Random, column: ColumnName): ValuePattern {
  const own: Partial<Record<ColumnName, readonly string[]>> = {
    sensor: sensors,
    country: ["CN", "DE", "US"],
    ja4: ["t12d", "t13d1516h2"],
    ja4h: ["po11nn", "ge11"],
    hassh: ["aa"],
    community_id: ["1:0=", "1:3="],
    tags: ["a", "b", "single"],
    user: ["root", "admin"],
    password: ["toor"],
  };
  const value = random.pick(own[column] ?? words);
  if (random.below(2) === 0) return { kind: "exact", value };
  const literal = value.replace(/[*?\\]/g, "\\$&");
  return {
    kind: "wildcard",
    pattern: random.pick([
      "*",
      `${literal}*`,
      `*${literal}`,
      `?${literal.slice(1).toWellFormed()}`,
      "?*",
      "*a*",
    ]),
  };
}
