import { capturedRequests } from "../../server/cli/demo/captured-requests.ts";
import { addressPlaceholder } from "./addresses.ts";

/*
 * Batches for the benchmarks, built from events that a real sensor sent (server/cli/demo/spip-requests.ndjson): HTTP, TLS,
 * Redis, RDP, telnet and SSH, with their escapes, non-ASCII text and nested objects. Every 16th event is the SSH handshake of
 * 5.6 KB, and the event of 27 KB is left out; the average is 1.1 KB. Ids, payloads, source addresses (IPv4, IPv6 and mapped,
 * all in the built-in databases) and ports differ from event to event.
 */

const maxCommonBytes = 2_000;
const maxBytes = 10_000;
const rareEvery = 16;

const captured = (await capturedRequests())
  .flatMap(({ body }) => JSON.parse(body) as CapturedEvent[])
  .map(sized);
const common = captured.filter(({ bytes }) => bytes <= maxCommonBytes);
const rare = captured.filter(({ bytes }) => bytes > maxCommonBytes && bytes <= maxBytes);

/** The fields that are changed. The rest of the event stays as captured. */
interface CapturedEvent {
  event: { id: string; original_payload_hex: string };
  network: { community_id: string };
  source: { ip: string; port: number };
}

/**
 * A batch as Go's JSON encoder writes it: compact, with `<`, `>` and `&` escaped.
 * @param newEvery one of this many events has the placeholder of an address; 0: none has
 */
export function benchBatch(eventCount: number, newEvery = 0): Buffer {
  return Buffer.from(`[${Array.from({ length: eventCount }, (_, i) => benchEvent(i, newEvery)).join(",")}]`);
}

/** A copy of a captured event. */
export function capturedEvent(i: number): CapturedEvent {
  const from = i % rareEvery === 0 ? rare : common;
  const original = from[i % from.length];
  if (!original) throw new Error("the fixtures have no event of that size");
  return structuredClone(original.event);
}

function benchEvent(i: number, newEvery: number): string {
  const event = capturedEvent(i);
  event.event.id = crypto.randomUUID();
  event.event.original_payload_hex = randomHex(event.event.original_payload_hex.length / 2);
  event.network.community_id = `1:${Buffer.from(randomHex(20), "hex").toString("base64")}`;
  event.source.ip =
    newEvery > 0 && i % newEvery === 0
      ? addressPlaceholder
      : event.source.ip.replace(/\d+$/, String(1 + randomBelow(254)));
  event.source.port = 1024 + randomBelow(64_512);
  return asGoWrites(JSON.stringify(event));
}

function sized(event: CapturedEvent) {
  return { event, bytes: JSON.stringify(event).length };
}

export function asGoWrites(json: string): string {
  return json.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

function randomHex(bytes: number): string {
  return Buffer.from(Array.from({ length: bytes }, () => randomBelow(256))).toString("hex");
}

function randomBelow(limit: number): number {
  return Math.floor(Math.random() * limit);
}
