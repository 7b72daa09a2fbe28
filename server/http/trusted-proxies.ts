import { ipAddressText, parseIpAddress } from "../ip-address.ts";
import { type Network, NetworkSet } from "../network.ts";

/** More proxies than a request ever passes. Their number bounds the work for a long header. */
const maxProxies = 32;

/**
 * Finds the client of a request that has passed proxies. Each proxy appends to X-Forwarded-For the address from which it
 * got the request. What a trusted proxy has appended is true; what comes before that is what its client claims.
 */
export class TrustedProxies {
  readonly #networks: NetworkSet;

  constructor(networks: readonly Network[]) {
    this.#networks = new NetworkSet(networks);
  }

  /**
   * @param peer the address at the other end of the TCP connection; undefined if it is not known
   * @param forwardedFor the header X-Forwarded-For; several of them joined with commas, in their order
   * @returns the last address that is not a trusted proxy. If a trusted proxy has appended something else than an address,
   *   such as "unknown", or nothing, this is the address of that proxy
   */
  clientOf(peer: string | undefined, forwardedFor: string | null): string | undefined {
    if (peer === undefined || forwardedFor === null) return peer;
    let client = peer;
    let end = forwardedFor.length;
    for (let proxies = 0; proxies < maxProxies && end >= 0 && this.#isTrusted(client); proxies++) {
      const comma = forwardedFor.lastIndexOf(",", end - 1);
      const address = forwardedAddress(forwardedFor.slice(comma + 1, end));
      if (address === undefined) break;
      client = address;
      end = comma;
    }
    return client;
  }

  #isTrusted(text: string): boolean {
    const address = parseIpAddress(text);
    return address !== undefined && this.#networks.contains(address);
  }
}

/** "192.0.2.1", "192.0.2.1:567", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:80", without the port and in one spelling. */
function forwardedAddress(entry: string): string | undefined {
  const text = entry.trim();
  const match = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d{1,5})?$/i.exec(text);
  const address = parseIpAddress(match?.[1] ?? match?.[2] ?? text);
  return address && ipAddressText(address);
}
