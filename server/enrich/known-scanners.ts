import list from "../../data/known-scanners.json" with { type: "json" };
import { parseIpAddress } from "../ip-address.ts";
import { NetworkSet } from "../network.ts";
import { parseScannerEntries, type Scanner, type ScannerEntry } from "./scanner-entries.ts";

/** The entries of data/known-scanners.json. */
export const scannerEntries: readonly ScannerEntry[] = list;

/** Finds out which known scanner an address belongs to. */
export class KnownScanners {
  readonly #networks: readonly { readonly scanner: Scanner; readonly set: NetworkSet }[];
  /** Nearly all addresses are in no network, and one search finds that out. */
  readonly #allNetworks: NetworkSet;
  readonly #byAsNumber: ReadonlyMap<number, Scanner>;
  /** By domain, without the leading dot. */
  readonly #byDomain: ReadonlyMap<string, Scanner>;

  /** @throws Error that names the entry and the value that is malformed or contradicts another entry */
  constructor(entries: readonly ScannerEntry[] = scannerEntries) {
    const networks = parseScannerEntries(entries);
    this.#networks = entries.flatMap((scanner, i) =>
      networks[i]?.length ? { scanner, set: new NetworkSet(networks[i]) } : [],
    );
    this.#allNetworks = new NetworkSet(networks.flat());
    this.#byAsNumber = new Map(
      entries.flatMap((entry) => (entry.asNumbers ?? []).map((number) => [number, entry] as const)),
    );
    this.#byDomain = new Map(
      entries.flatMap((entry) => (entry.names ?? []).map((name) => [name.slice(1), entry] as const)),
    );
  }

  /**
   * The scanner that an address belongs to by its network or its AS number, in this order.
   * @param address as parseAddress returns it
   * @param asNumber undefined: it is not known
   */
  scannerOf(address: string, asNumber: number | undefined): Scanner | undefined {
    return this.#ofAddress(address) ?? (asNumber === undefined ? undefined : this.#byAsNumber.get(asNumber));
  }

  /**
   * The scanner that has the domain of a name.
   * @param name in any case of its letters, without a trailing dot. A name that is not confirmed proves nothing: the owner of
   *   an address chooses its PTR record, and can choose "x.shodan.io"
   */
  scannerOfName(name: string): Scanner | undefined {
    let domain = name.toLowerCase();
    for (;;) {
      const scanner = this.#byDomain.get(domain);
      const dot = domain.indexOf(".");
      if (scanner !== undefined || dot === -1) return scanner;
      domain = domain.slice(dot + 1);
    }
  }

  #ofAddress(text: string): Scanner | undefined {
    const address = parseIpAddress(text);
    if (!address || !this.#allNetworks.contains(address)) return undefined;
    return this.#networks.find(({ set }) => set.contains(address))?.scanner;
  }
}
