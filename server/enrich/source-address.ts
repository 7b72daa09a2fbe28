import { maxAddressLength } from "../ip-address.ts";
import { OPEN_BRACE, OPEN_BRACKET, QUOTE, wordsOf } from "../json-bytes.ts";
import { decodeString, elementsOf, findMembers, type Member } from "../json-members.ts";
import { parseAddress, parsePublicAddress } from "./address.ts";

/** The most elements of a list of addresses that are read: a chain of proxies has fewer. */
const maxListedAddresses = 32;

/**
 * Finds the address of an event's source in a list of fields, which are tried in order. Fields may be nested
 * (`{"source":{"ip":…}}`), dotted (`{"source.ip":…}`) or both. A field without an address is passed over.
 */
export class SourceAddressFields {
  readonly #paths: readonly (readonly string[])[];
  /** The keys of an event with which one of the fields may begin: of `a.b`, they are `a` and `a.b`. */
  readonly #firstKeys: readonly string[];

  /** Whether the scanner of batches has already found the preferred field. */
  readonly isSourceIpFirst: boolean;

  /** @param fields such as "source.ip", the preferred one first */
  constructor(fields: readonly string[]) {
    this.#paths = fields.map((field) => field.split("."));
    this.isSourceIpFirst = fields[0] === "source.ip";
    this.#firstKeys = [...new Set(this.#paths.flatMap(keysOf))];
  }

  /**
   * @param bytes have an event at `start` that is known to be valid JSON
   * @returns the text of the address as the event has it: of the first field that has one; in a list the first public
   *   address, or the first address if none is public
   */
  find(bytes: Buffer, start: number): string | undefined {
    const { members } = findMembers(bytes, start, this.#firstKeys, wordsOf(bytes));
    if (members.length === 0) return undefined;
    for (const path of this.#paths) {
      const address = addressAt(bytes, members, path);
      if (address !== undefined) return address;
    }
    return undefined;
  }
}

/** The keys with which a path may begin: its first element, its first two elements joined by a dot, and so on. */
function keysOf(path: readonly string[]): string[] {
  return path.map((_, i) => path.slice(0, i + 1).join("."));
}

/** @param members of one object; the last one of duplicate keys counts */
function addressAt(bytes: Buffer, members: readonly Member[], path: readonly string[]): string | undefined {
  for (const [i, key] of keysOf(path).entries()) {
    const member = members.findLast((candidate) => candidate.key === key);
    if (member === undefined) continue;
    const rest = path.slice(i + 1);
    const address =
      rest.length === 0 ? addressIn(bytes, member) : addressInObject(bytes, member.valueStart, rest);
    if (address !== undefined) return address;
  }
  return undefined;
}

function addressInObject(bytes: Buffer, start: number, path: readonly string[]): string | undefined {
  if (bytes[start] !== OPEN_BRACE) return undefined;
  return addressAt(bytes, findMembers(bytes, start, keysOf(path)).members, path);
}

function addressIn(bytes: Buffer, { valueStart, valueEnd }: Member): string | undefined {
  if (bytes[valueStart] !== OPEN_BRACKET) return addressText(bytes, valueStart, valueEnd);
  const addresses = elementsOf(bytes, valueStart, maxListedAddresses)
    .map(([start, end]) => addressText(bytes, start, end))
    .filter((address) => address !== undefined);
  return addresses.find((address) => parsePublicAddress(address) !== undefined) ?? addresses[0];
}

/** The text of a value that is a string with an address. */
function addressText(bytes: Buffer, start: number, end: number): string | undefined {
  if (bytes[start] !== QUOTE || !mayBeAddress(start + 1, end - 1)) return undefined;
  const text = decodeString(bytes, start + 1, end - 1);
  return parseAddress(text) === undefined ? undefined : text;
}

/** Whether a string is short enough. Longer ones must not be decoded first. An escaped character takes up to 6 bytes. */
export function mayBeAddress(start: number, end: number): boolean {
  return end - start <= maxAddressLength * 6;
}
