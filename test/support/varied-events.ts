import { type ColumnValues, columnValuesOf } from "../../server/event/columns.ts";
import { fieldsOf } from "../../server/event/event-fields.ts";
import { payloadOf } from "../../server/event/payload.ts";
import { searchTextOf } from "../../server/event/search-text.ts";
import type { StoreEvent } from "../../server/store/store-writer.ts";
import type { Random } from "./random.ts";

/** A stored event, and what a search sees of it. */
export interface VariedEvent extends StoreEvent {
  readonly json: string;
  readonly values: ColumnValues;
  readonly text: string;
}

const words = [
  ..."admin root wget http://x/a.sh curl passwd GET POST /.env /wp-login.php Mozilla/5.0 zgrab Kelvin \u212aelvin".split(
    " ",
  ),
  ...'\u0130stanbul stra\u00dfe \u03a3\u03c2 na\u00efve \u{1f41d} \u65e5\u672c\u8a9e a\\b "quoted" <tag> &amp; it\'s 1234 cafe00'.split(
    " ",
  ),
];
const countries = ["CN", "US", "DE", "NL", "BR"];
const tags = ["scanner", "shodan", "censys", "tor", "ssh"];
const paths = ["/.env", "/wp-login.php", "/a*b", "/cgi-bin/x?y", "/"];

/** Events of 24 sensors and four weeks. The clock is set back now and then. */
export function variedEvents(random: Random, count: number, start: number): VariedEvent[] {
  let receivedAt = start;
  return Array.from({ length: count }, (_, i) => {
    receivedAt += random.below(50) === 0 ? -random.below(60_000) : random.below(20_000);
    const document = documentOf(random, i);
    const json = spelled(random, JSON.stringify(document));
    const sensorId = `vps-${random.below(24)}`;
    const value: unknown = JSON.parse(json);
    const payload = payloadOf(value);
    return {
      sequence: i + 1,
      receivedAt,
      sensorId,
      document: Buffer.from(json),
      json,
      values: columnValuesOf(sensorId, value, fieldsOf(value), payload),
      text: searchTextOf(value, payload),
    };
  });
}

function documentOf(random: Random, i: number): object {
  const maybe = <Value>(share: number, value: () => Value) =>
    random.below(100) < share ? value() : undefined;
  return {
    "@timestamp": new Date(1_760_000_000_000 + i).toISOString(),
    source: {
      ip: maybe(95, () => address(random)),
      port: random.below(65_536),
      geo: maybe(80, () => ({ country_iso_code: random.pick(countries) })),
      as: maybe(80, () => ({ number: 1 + random.below(60) * 1_000 })),
    },
    destination: maybe(95, () => ({ port: random.pick([22, 23, 80, 443, 2222, random.below(65_536)]) })),
    event: maybe(97, () => ({
      id: `id-${i}-wget`,
      summary: text(random),
      original_payload_hex: maybe(70, () => payload(random)),
    })),
    url: maybe(40, () => ({ path: random.pick(paths) })),
    user_agent: maybe(40, () => ({ original: `${random.pick(words)}/${random.below(9)}` })),
    tls: maybe(20, () => ({ client: { hash: { ja4: `t13d${random.below(40)}` } } })),
    network: maybe(50, () => ({ community_id: `1:${random.below(1e6)}=`, transport: "tcp" })),
    tags: maybe(40, () => random.pick([tags.slice(random.below(5)), random.pick(tags)])),
    extra: maybe(3, () => ({
      original_payload_hex: "63616665",
      list: [text(random), { deep: text(random) }],
    })),
  };
}

function address(random: Random): string {
  const low = random.below(256);
  return random.pick([
    `185.220.${random.below(4)}.${low}`,
    `10.${random.below(3)}.0.${low}`,
    `2001:db8::${low.toString(16)}`,
    `::ffff:1.2.3.${low}`,
    "not an address",
  ]);
}

function text(random: Random): string {
  return Array.from({ length: 1 + random.below(6) }, () => random.pick(words)).join(" ");
}

/** Sometimes not what a sensor writes. */
function payload(random: Random): string {
  const credentials = Buffer.from(`${random.pick(words)}:${random.below(20)}`).toString("base64");
  const basic = `GET / HTTP/1.1\r\nAuthorization: Basic ${credentials}\r\n\r\n`;
  const hex = Buffer.from(random.pick([text(random), basic])).toString("hex");
  return random.pick([hex, hex, hex, hex, hex.toUpperCase(), `${hex}0`, `ff${hex}fe`]);
}

/** The same document as different encoders write it. */
function spelled(random: Random, json: string): string {
  switch (random.below(12)) {
    case 0:
      return json.replaceAll("/", "\\/");
    case 1:
      return json.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
    case 2:
      return json.replace(
        /[^\x00-\x7f]/g,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    case 3:
      return json.replace(/e(?=[a-z ])/g, () => (random.below(3) === 0 ? "\\u0065" : "e"));
    case 4:
      return json.replace(/":/g, '" : ');
    default:
      return json;
  }
}
