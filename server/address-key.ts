import { type IpAddress, ipAddressText, isIpv4, parseIpAddress } from "./ip-address.ts";
import type { Network } from "./network.ts";

/*
 * An address as a text of 16 characters, one for each byte, so that addresses compare by their bytes. IPv4 addresses are
 * within ::ffff:0:0/96.
 */

const mappedPrefix = `${"\0".repeat(10)}\xff\xff`;

/** @returns undefined if the text is not an address */
export function addressKey(text: string): string | undefined {
  const address = parseIpAddress(text);
  return address && keyOf(address);
}

/** The address of a key, as RFC 5952 recommends it. */
export function addressOfKey(key: string): string {
  const groups = Array.from({ length: 8 }, (_, i) => key.charCodeAt(i * 2) * 256 + key.charCodeAt(i * 2 + 1));
  return ipAddressText(key.startsWith(mappedPrefix) ? groups.slice(6) : groups);
}

/** The first and the last key of a network. An IPv6 network that surrounds the IPv4 addresses has their keys between them. */
export function networkKeys({ first, last }: Network): { first: string; last: string } {
  return { first: keyOf(first), last: keyOf(last) };
}

/** Whether a key is that of an IPv4 address. */
export function isIpv4Key(key: string): boolean {
  return key.startsWith(mappedPrefix);
}

/** An IPv4 address as a number below 2^32; undefined: the key is that of an IPv6 address. */
export function ipv4OfKey(key: string): number | undefined {
  if (!isIpv4Key(key)) return undefined;
  const byte = (index: number) => key.charCodeAt(12 + index);
  return ((byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3)) >>> 0;
}

/** The key of an IPv4 address that is a number below 2^32. */
export function keyOfIpv4(address: number): string {
  return keyOf([address >>> 16, address & 0xffff]);
}

function keyOf(address: IpAddress): string {
  if (!isIpv4(address))
    return address.map((group) => String.fromCharCode(group >>> 8, group & 0xff)).join("");
  const [high = 0, low = 0] = address;
  return mappedPrefix + String.fromCharCode(high >>> 8, high & 0xff, low >>> 8, low & 0xff);
}
