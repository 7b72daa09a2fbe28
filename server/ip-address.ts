import { isIP } from "node:net";

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
  switch (isIP(text)) {
    case 4:
      return ipv4Groups(text);
    case 6:
      return text.includes("%") ? undefined : withoutMapping(ipv6Groups(text));
    default:
      return undefined;
  }
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

/** 32 for IPv4, 128 for IPv6. */
export function bitLengthOf(address: IpAddress): number {
  return address.length * 16;
}

function withoutMapping(groups: IpAddress): IpAddress {
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return isMapped ? groups.slice(6) : groups;
}

function ipv4Groups(text: string): IpAddress {
  const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
  return [a * 256 + b, c * 256 + d];
}

function ipv6Groups(text: string): IpAddress {
  const [before = "", after] = text.split("::");
  const head = groupsOf(before);
  if (after === undefined) return head;
  const tail = groupsOf(after);
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function groupsOf(part: string): IpAddress {
  if (part === "") return [];
  return part
    .split(":")
    .flatMap((group) => (group.includes(".") ? ipv4Groups(group) : Number.parseInt(group, 16)));
}
