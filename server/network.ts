import {
  bitLengthOf,
  type IpAddress,
  ipAddressText,
  isIpv4,
  numberOfIpv4,
  parseIpAddress,
} from "./ip-address.ts";
import { accepted, type Result, refused } from "./result.ts";

/** The addresses that begin with the same bits. An IPv6 network never contains IPv4 addresses, not even ::/0. */
export interface Network {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

/**
 * Parses a network in CIDR notation, or a single address, which is a network of one address.
 * @param text "10.0.0.0/8", "2001:db8::/32", "192.0.2.1". A network within ::ffff:0:0/96 is returned as IPv4
 * @returns the reason if it is not one, for example because the address has bits set behind the prefix
 */
export function parseNetwork(text: string): Result<Network, string> {
  const parts = parseParts(text);
  if (parts.kind === "refused") return parts;
  const { address, bits } = parts.value;
  const network = networkOf(address, bits);
  if (compare(network.first, address) === 0) return accepted(network);
  const right = `${ipAddressText(network.first)}/${bits}`;
  return refused(`the address has bits set behind the prefix; the network is ${right}`);
}

/** The same, but an address with bits set behind the prefix stands for the network that contains it. */
export function networkAround(text: string): Result<Network, string> {
  const parts = parseParts(text);
  return parts.kind === "refused" ? parts : accepted(networkOf(parts.value.address, parts.value.bits));
}

function parseParts(text: string): Result<{ readonly address: IpAddress; readonly bits: number }, string> {
  const [addressText = "", prefixText, ...rest] = text.split("/");
  const address = parseIpAddress(addressText);
  if (!address || rest.length > 0) return refused("it is not an IP address or a network");
  if (prefixText === undefined) return accepted({ address, bits: bitLengthOf(address) });
  // The bits of the prefix ::ffff:0:0/96 that an IPv4 address in an IPv6 spelling has lost.
  const mappedBits = isIpv4(address) && addressText.includes(":") ? 96 : 0;
  const maxBits = mappedBits + bitLengthOf(address);
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(prefixText) ? Number(prefixText) : -1;
  if (bits < mappedBits || bits > maxBits)
    return refused(`the prefix length is not from ${mappedBits} to ${maxBits}`);
  return accepted({ address, bits: bits - mappedBits });
}

/** True for 0.0.0.0/0 and ::/0. */
export function hasAllAddresses({ first, last }: Network): boolean {
  return first.every((group) => group === 0) && last.every((group) => group === 0xffff);
}

/** Tells whether an address is in one of some networks, in logarithmic time. */
export class NetworkSet {
  /** The first and the last address of each IPv4 network. Most addresses are IPv4, and numbers are compared fastest. */
  readonly #ipv4Firsts: Uint32Array;
  readonly #ipv4Lasts: Uint32Array;
  readonly #ipv6: readonly Network[];

  constructor(networks: readonly Network[]) {
    const ipv4 = outermost(networks.filter(({ first }) => isIpv4(first)));
    this.#ipv4Firsts = Uint32Array.from(ipv4, ({ first }) => numberOfIpv4(first));
    this.#ipv4Lasts = Uint32Array.from(ipv4, ({ last }) => numberOfIpv4(last));
    this.#ipv6 = outermost(networks.filter(({ first }) => !isIpv4(first)));
  }

  contains(address: IpAddress): boolean {
    if (isIpv4(address)) return this.#containsIpv4(numberOfIpv4(address));
    const networks = this.#ipv6;
    let low = 0;
    let high = networks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const network = networks[middle];
      if (network && compare(network.first, address) <= 0) low = middle + 1;
      else high = middle;
    }
    // Only the last network that begins at or before the address can contain it, because they do not overlap.
    const network = networks[low - 1];
    return network !== undefined && compare(address, network.last) <= 0;
  }

  #containsIpv4(address: number): boolean {
    const firsts = this.#ipv4Firsts;
    let low = 0;
    let high = firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((firsts[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return low > 0 && address <= (this.#ipv4Lasts[low - 1] ?? 0);
  }
}

/** The networks of one family in order, without those that are within another one. Two networks overlap in no other way. */
function outermost(networks: readonly Network[]): Network[] {
  const sorted = networks.toSorted((a, b) => compare(a.first, b.first) || compare(b.last, a.last));
  const found: Network[] = [];
  for (const network of sorted) {
    const previous = found.at(-1);
    if (!previous || compare(network.first, previous.last) > 0) found.push(network);
  }
  return found;
}

function networkOf(address: IpAddress, bits: number): Network {
  // The bits of each group that are behind the prefix.
  const hostBits = address.map((_, index) => 0xffff >>> Math.min(16, Math.max(0, bits - index * 16)));
  return {
    first: address.map((group, index) => group & ~(hostBits[index] ?? 0)),
    last: address.map((group, index) => group | (hostBits[index] ?? 0)),
  };
}

/** Negative, 0 or positive, as for `sort`. Both addresses are of one family. */
function compare(a: IpAddress, b: IpAddress): number {
  for (let index = 0; index < a.length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
