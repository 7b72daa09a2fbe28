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
