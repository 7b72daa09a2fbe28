import { parsePublicAddress } from "../../server/enrich/address.ts";

/** Odd, so that multiplying by it maps the numbers below 2^32 to each other (Knuth's multiplicative hashing). */
const multiplier = 0x9e37_79b1;

/** Yields public IPv4 addresses spread over the whole Internet. None comes twice, and every run has the same ones. */
export function* publicAddresses(): Generator<string> {
  for (let i = 1; ; i++) {
    const number = Math.imul(i, multiplier) >>> 0;
    const address = [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join(".");
    if (parsePublicAddress(address) !== undefined) yield address;
  }
}

/** What an event has whose address is written just before it is sent. Its length is that of `longAddress`. */
export const addressPlaceholder = "255.255.255.255";

const firstOctets = Array.from({ length: 96 }, (_, i) => 128 + i).filter(
  (octet) => octet !== 169 && octet !== 192,
);
/** Octets from 100 to 255 have three digits. */
const octets = 156;
const addressCount = firstOctets.length * octets ** 3;
/**
 * It has no divisor in common with `addressCount`, so that multiplying by it maps the numbers below that to each other. Its ratio to
 * it is the golden one, so that the addresses are spread evenly.
 */
const step = 220_553_527;

/**
 * The public IPv4 addresses with 15 characters, so that one can be written over another in a request.
 * @param number below 350 million. Different numbers have different addresses, spread over the upper half of the Internet
 */
export function longAddress(number: number): string {
  const place = (number * step) % addressCount;
  const [b, c, d] = [octets ** 2, octets, 1].map((unit) => 100 + (Math.floor(place / unit) % octets));
  return `${firstOctets[Math.floor(place / octets ** 3)]}.${b}.${c}.${d}`;
}
