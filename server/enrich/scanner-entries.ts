import { ipAddressText } from "../ip-address.ts";
import { type Network, NetworkSet, parseNetwork } from "../network.ts";

/** An operator of Internet-wide scans. */
export interface Scanner {
  /** Its tag, such as "shodan": lower-case letters, digits and hyphens. */
  readonly id: string;
  /** For people: "Shodan". */
  readonly name: string;
}

/** An entry of data/known-scanners.json. It has at least one name, network or AS number. */
export interface ScannerEntry extends Scanner {
  /** Domains of the scanner's machines, with a leading dot. ".shodan.io" is shodan.io and every name below it. */
  readonly names?: readonly string[];
  /** In CIDR notation. */
  readonly networks?: readonly string[];
  /** Autonomous systems that have no other machines. */
  readonly asNumbers?: readonly number[];
  /** Public pages that say so, as https URLs. */
  readonly sources: readonly string[];
}

/** The tag that every known scanner gets, so that no scanner may have it as its id. */
export const knownScannerTag = "known-scanner";

/** The tags for the events from a scanner. */
export function scannerTags({ id }: Scanner): readonly string[] {
  return [knownScannerTag, id];
}

const maxAsNumber = 2 ** 32 - 2;

/**
 * Returns the parsed networks of each entry, in order.
 * @throws Error that names the entry and the value that is malformed or contradicts another entry
 */
export function parseScannerEntries(entries: readonly ScannerEntry[]): readonly (readonly Network[])[] {
  assertUnique(entries, "id", ({ id }) => [id]);
  assertUnique(entries, "AS number", ({ asNumbers = [] }) => asNumbers);
  for (const entry of entries) for (const fault of faultsOf(entry)) throw faultIn(entry, fault);
  const networks = entries.map((entry) => (entry.networks ?? []).map((text) => networkOf(entry, text)));
  assertApart(
    entries.flatMap((entry) => (entry.names ?? []).map((value) => ({ entry, value }))),
    (name, other) => name.endsWith(other),
    (name) => name,
  );
  assertApart(
    entries.flatMap((entry, i) =>
      (networks[i] ?? []).map((network) => ({
        entry,
        value: { first: network.first, set: new NetworkSet([network]) },
      })),
    ),
    ({ first }, { set }) => set.contains(first),
    ({ first }) => ipAddressText(first),
  );
  return networks;
}

function* faultsOf({ id, name, names = [], networks = [], asNumbers = [], sources }: ScannerEntry) {
  if (!/^[a-z\d]+(?:-[a-z\d]+)*$/.test(id)) yield "the id is not lower-case letters, digits and hyphens";
  if (id === knownScannerTag) yield "the id is the tag of all scanners";
  if (name.trim() === "") yield "the name is empty";
  if (names.length + networks.length + asNumbers.length === 0)
    yield "it has no names, networks or AS numbers";
  for (const domain of names)
    if (!/^(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?){2,}$/.test(domain))
      yield `${domain} is not a lower-case domain name with a leading dot, such as .shodan.io`;
  for (const number of asNumbers)
    if (!Number.isInteger(number) || number < 1 || number > maxAsNumber)
      yield `${number} is not an AS number`;
  if (sources.length === 0) yield "it has no source";
  for (const source of sources)
    if (!URL.canParse(source) || new URL(source).protocol !== "https:") yield `${source} is not an https URL`;
}

function networkOf(entry: ScannerEntry, text: string): Network {
  const network = parseNetwork(text);
  if (network.kind === "refused") throw faultIn(entry, `${text}: ${network.refusal}`);
  return network.value;
}

function assertUnique(
  entries: readonly ScannerEntry[],
  what: string,
  valuesOf: (entry: ScannerEntry) => readonly (string | number)[],
): void {
  const seen = new Set<string | number>();
  for (const entry of entries)
    for (const value of valuesOf(entry)) {
      if (seen.has(value)) throw faultIn(entry, `the ${what} ${value} is listed twice`);
      seen.add(value);
    }
}

/** A value within another one is redundant if they belong to the same scanner, and a contradiction otherwise. */
function assertApart<Value>(
  values: readonly { readonly entry: ScannerEntry; readonly value: Value }[],
  isWithin: (value: Value, other: Value) => boolean,
  textOf: (value: Value) => string,
): void {
  for (const [i, { entry, value }] of values.entries()) {
    const outer = values.find((other, j) => j !== i && isWithin(value, other.value));
    if (outer)
      throw faultIn(
        entry,
        `${textOf(value)} is within ${textOf(outer.value)}, which ${outer.entry.id} lists already`,
      );
  }
}

function faultIn(entry: ScannerEntry, fault: string): Error {
  return new Error(`data/known-scanners.json: ${entry.id}: ${fault}`);
}
