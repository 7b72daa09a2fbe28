/*
 * IP addresses as numbers and as text. The page imports this file too: nothing in it needs Bun or Node.
 */

/** The groups of 16 bits of an address, each as a number: two for IPv4, eight for IPv6. */
export type IpAddress = readonly number[];

/** The longest spelling has eight groups, the last two as a dotted quad. */
export const maxAddressLength = 45;

/**
 * Parses an IP address.
 * @param text a dotted quad, or IPv6 in any spelling of RFC 4291. Zone ids, ports, blanks and leading zeros in a quad are
 *   malformed
 * @returns undefined if the text is malformed. An IPv4-mapped IPv6 address (::ffff:0:0/96) is returned as IPv4
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > maxAddressLength) return undefined;
  if (!text.includes(":")) return ipv4Groups(text);
  const groups = ipv6Groups(text);
  return groups && withoutMapping(groups);
}

/** The text of an address: a dotted quad, or IPv6 as RFC 5952 recommends it, such as "2001:db8::1". */
export function ipAddressText(address: IpAddress): string {
  const [high = 0, low = 0] = address;
  if (isIpv4(address)) return `${high >>> 8}.${high & 0xff}.${low >>> 8}.${low & 0xff}`;
  const groups = address.map((group) => group.toString(16)).join(":");
  // The serializer of URLs shortens the longest run of zeros (https://url.spec.whatwg.org/#concept-ipv6-serializer).
  return new URL(`http://[${groups}]/`).hostname.slice(1, -1);
}

export function isIpv4(address: IpAddress): boolean {
  return address.length === 2;
}

/** An IPv4 address as a number from 0 to 2^32 - 1. */
export function numberOfIpv4(address: IpAddress): number {
  return (address[0] ?? 0) * 0x1_0000 + (address[1] ?? 0);
}

/** 32 for IPv4, 128 for IPv6. */
export function bitLengthOf(address: IpAddress): number {
  return address.length * 16;
}

function withoutMapping(groups: IpAddress): IpAddress {
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return isMapped ? groups.slice(6) : groups;
}

/** Reads the digits one by one, because a regular expression takes three times as long. */
function ipv4Groups(text: string): IpAddress | undefined {
  if (text.length > 15) return undefined;
  let bits = 0;
  let dots = 0;
  let byte = -1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === dot) {
      if (byte < 0) return undefined;
      bits = bits * 256 + byte;
      dots++;
      byte = -1;
    } else if (code < zero || code > nine || byte === 0) return undefined;
    else byte = (byte < 0 ? 0 : byte * 10) + code - zero;
    if (byte > 255) return undefined;
  }
  if (dots !== 3 || byte < 0) return undefined;
  return [bits >>> 8, ((bits & 0xff) << 8) | byte];
}

const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;

function ipv6Groups(text: string): IpAddress | undefined {
  const [before = "", after, ...more] = text.split("::");
  const head = groupsOf(before, after === undefined);
  if (!head || more.length > 0) return undefined;
  if (after === undefined) return head.length === 8 ? head : undefined;
  const tail = groupsOf(after, true);
  // "::" stands for at least one group.
  if (!tail || head.length + tail.length > 7) return undefined;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** The groups before or after "::". Only the end of an address may be a dotted quad. */
function groupsOf(part: string, isEnd: boolean): IpAddress | undefined {
  if (part === "") return [];
  const texts = part.split(":");
  const last = texts.at(-1) ?? "";
  const dotted = isEnd && last.includes(".") ? ipv4Groups(last) : [];
  const hexadecimal = isEnd && last.includes(".") ? texts.slice(0, -1) : texts;
  if (!dotted || hexadecimal.some((group) => !/^[\da-f]{1,4}$/i.test(group))) return undefined;
  return [...hexadecimal.map((group) => Number.parseInt(group, 16)), ...dotted];
}
