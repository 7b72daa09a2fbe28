import { type IpAddress, ipAddressText, isIpv4, parseIpAddress } from "../ip-address.ts";
import { NetworkSet, parseNetwork } from "../network.ts";

/*
 * Addresses that do not belong to a machine on the Internet: no database knows them, and a resolver must not be asked
 * about them. From the IANA special-purpose registries (RFC 6890 and its updates).
 */
const notPublicIpv4 = new NetworkSet(
  [
    "0.0.0.0/8", // "this network"
    "10.0.0.0/8", // private
    "100.64.0.0/10", // carrier-grade NAT
    "127.0.0.0/8", // loopback
    "169.254.0.0/16", // link-local
    "172.16.0.0/12", // private
    "192.0.0.0/24", // protocol assignments
    "192.0.2.0/24", // documentation
    "192.168.0.0/16", // private
    "198.18.0.0/15", // benchmarking
    "198.51.100.0/24", // documentation
    "203.0.113.0/24", // documentation
    "224.0.0.0/4", // multicast
    "240.0.0.0/4", // reserved, broadcast
  ].map((text) => {
    const network = parseNetwork(text);
    if (network.kind === "refused") throw new Error(`BUG: ${text}: ${network.refusal}`);
    return network.value;
  }),
);

/**
 * Parses the text of a `source.ip` into the address to look up.
 *
 * @param text a dotted quad, or IPv6 in any spelling of RFC 4291. Zone ids, ports, blanks and leading zeros in a quad
 *   are malformed.
 * @returns IPv4 as a dotted quad, IPv6 as eight groups without leading zeros, so that one address has one spelling. An
 *   IPv6 address that stands for an IPv4 machine becomes that machine's address: IPv4-mapped (::ffff:0:0/96), NAT64
 *   (64:ff9b::/96, RFC 6052) and 6to4 (2002::/16, RFC 3056; MaxMind's databases do the same). Undefined if the text is
 *   malformed or the address is not public.
 */
export function parsePublicAddress(text: string): string | undefined {
  const address = parseSourceAddress(text);
  return address?.isPublic ? address.text : undefined;
}

/** As parsePublicAddress, but for addresses that are not public too. */
export function parseAddress(text: string): string | undefined {
  return parseSourceAddress(text)?.text;
}

/** A parsed `source.ip`. */
export interface SourceAddress {
  /** As parseAddress returns it. */
  readonly text: string;
  readonly isPublic: boolean;
}

/** Parses the text of a `source.ip`; see parsePublicAddress. @returns undefined if it is malformed */
export function parseSourceAddress(text: string): SourceAddress | undefined {
  const address = parseIpAddress(text);
  if (!address) return undefined;
  if (!isIpv4(address)) return ipv6(address);
  // There is only one way to write a dotted quad.
  return text.includes(":") ? ipv4(address) : { text, isPublic: !notPublicIpv4.contains(address) };
}

function ipv4(address: IpAddress): SourceAddress {
  return { text: ipAddressText(address), isPublic: !notPublicIpv4.contains(address) };
}

function ipv6(address: IpAddress): SourceAddress {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = address;
  if (a === 0x64 && b === 0xff9b && c === 0 && d === 0 && e === 0 && f === 0) return ipv4([g, h]);
  if (a === 0x2002) return ipv4([b, c]);
  return { text: address.map((group) => group.toString(16)).join(":"), isPublic: isPublicIpv6(a, b) };
}

/** @param a the first group @param b the second group */
function isPublicIpv6(a: number, b: number): boolean {
  // Global unicast is 2000::/3 (RFC 4291, 2.4; IANA). Unspecified, loopback, IPv4-compatible, discard, private,
  // link-local, site-local and multicast addresses are all outside of it.
  if (a < 0x2000 || a > 0x3fff) return false;
  // 2001::/23, protocol assignments. Teredo (2001::/32) is one of them: databases know the place of the Teredo
  // server under such an address, not the client's.
  if (a === 0x2001 && b < 0x200) return false;
  if (a === 0x2001 && b === 0xdb8) return false; // documentation
  return a !== 0x3fff || b >= 0x1000; // documentation
}
