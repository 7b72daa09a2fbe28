/** A network: the bits of its first address as four numbers of 32 bits, IPv4 networks at ::/96, and its prefix length there. */
export interface Network {
  readonly words: readonly [number, number, number, number];
  /** 96 is the whole of IPv4. */
  readonly length: number;
}

/** The number of bits before an IPv4 address in an IPv6 tree. */
export const ipv4Depth = 96;

/** @param cidr "192.0.2.0/24" or "2001:db8::/32" */
export function parseCidr(cidr: string): Network {
  const [address = "", lengthText = ""] = cidr.split("/");
  const isIpv4 = !address.includes(":");
  const length = Number(lengthText);
  if (!(length >= 1 && length <= (isIpv4 ? 32 : 128))) {
    throw new Error(`cannot read the prefix length of ${cidr}`);
  }
  return isIpv4
    ? { words: [0, 0, 0, ipv4Word(address)], length: ipv4Depth + length }
    : { words: ipv6Words(address), length };
}

/**
 * The fewest networks that cover a range of addresses.
 * @param start the first address as a number; IPv4 addresses are below 2^32
 * @param end the last address
 */
export function* networksOfRange(start: bigint, end: bigint): Generator<Network> {
  for (let first = start; first <= end; ) {
    let bits = first === 0n ? 128 : trailingZeros(first);
    while (first + (1n << BigInt(bits)) - 1n > end) bits--;
    yield { words: wordsOf(first), length: 128 - bits };
    first += 1n << BigInt(bits);
  }
}

function trailingZeros(value: bigint): number {
  let rest = value;
  let zeros = 0;
  while ((rest & 0xffff_ffffn) === 0n) {
    rest >>= 32n;
    zeros += 32;
  }
  const low = Number(rest & 0xffff_ffffn);
  return zeros + 31 - Math.clz32(low & -low);
}

function wordsOf(address: bigint): Network["words"] {
  const word = (shift: bigint) => Number((address >> shift) & 0xffff_ffffn);
  return [word(96n), word(64n), word(32n), word(0n)];
}

function ipv4Word(address: string): number {
  return address.split(".").reduce((word, octet) => word * 256 + Number(octet), 0);
}

function ipv6Words(address: string): Network["words"] {
  const [head = [], tail = []] = address.split("::").map((part) => part.split(":").filter((group) => group));
  const zeros = new Array<string>(8 - head.length - tail.length).fill("0");
  const groups = [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
  const word = (at: number) => (groups[at] ?? 0) * 0x10000 + (groups[at + 1] ?? 0);
  return [word(0), word(2), word(4), word(6)];
}
