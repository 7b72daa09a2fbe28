import { maxAddressLength } from "../ip-address.ts";
import { OPEN_BRACE, OPEN_BRACKET, QUOTE, wordsOf } from "../json-bytes.ts";
import { decodeString, elementsOf, findMembers, type Member } from "../json-members.ts";
import { parseAddress, parsePublicAddress } from "./address.ts";

/** The most elements of a list of addresses that are read: a chain of proxies has fewer. */
const maxListedAddresses = 32;

/** What is searched in an object in which the rest of a field is expected. */
interface Step {
  /** With the rest `a.b`, they are `a` and `a.b`. */
  readonly keys: readonly string[];
  /** Those of all fields that lead to the same object. */
  readonly allKeys: readonly string[];
}

/**
 * Finds the address of an event's source in a list of fields, which are tried in order. Fields may be nested
 * (`{"source":{"ip":…}}`), dotted (`{"source.ip":…}`) or both. A field without an address is passed over.
 */
export class SourceAddressFields {
  /** For each field, one step for each of its names. */
  readonly #fields: readonly (readonly Step[])[];

  /** Whether the scanner of batches has already found the preferred field. */
  readonly isSourceIpFirst: boolean;

  /** @param fields such as "source.ip", the preferred one first */
  constructor(fields: readonly string[]) {
    const paths = fields.map((field) => field.split("."));
    this.isSourceIpFirst = fields[0] === "source.ip";
    this.#fields = paths.map((path) =>
      path.map((_, depth) => {
        const siblings = paths.filter((other) => hasSameStart(other, path, depth));
        const allKeys = new Set(siblings.flatMap((other) => keysOf(other, depth)));
        return { keys: keysOf(path, depth), allKeys: [...allKeys] };
      }),
    );
  }

  /**
   * @param bytes have an event at `start` that is known to be valid JSON
   * @returns the text of the address as the event has it: of the first field that has one; in a list the first public
   *   address, or the first address if none is public
   */
  find(bytes: Buffer, start: number): string | undefined {
    const objects = new ScannedObjects(bytes);
    for (const steps of this.#fields) {
      const address = addressAt(objects, start, steps, 0);
      if (address !== undefined) return address;
    }
    return undefined;
  }
}

function hasSameStart(path: readonly string[], other: readonly string[], length: number): boolean {
  return path.length > length && path.slice(0, length).join(".") === other.slice(0, length).join(".");
}

/** The keys with which the rest of a path may begin: its next name, its next two names joined by a dot, and so on. */
function keysOf(path: readonly string[], depth: number): string[] {
  const rest = path.slice(depth);
  return rest.map((_, i) => rest.slice(0, i + 1).join("."));
}

/** The objects of one event in which fields were searched. Each is read once, however many fields begin with its key. */
class ScannedObjects {
  readonly bytes: Buffer;
  readonly #words: Int32Array;
  readonly #members = new Map<number, readonly Member[]>();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#words = wordsOf(bytes);
  }

  /** The members with these keys. @param keys always the same for the object at `start` */
  membersAt(start: number, keys: readonly string[]): readonly Member[] {
    const known = this.#members.get(start);
    if (known) return known;
    const { members } = findMembers(this.bytes, start, keys, this.#words);
    this.#members.set(start, members);
    return members;
  }
}

/** The address in the object at `start`, in the steps of a field from `depth` on; the last one of duplicate keys counts. */
function addressAt(
  objects: ScannedObjects,
  start: number,
  steps: readonly Step[],
  depth: number,
): string | undefined {
  const step = steps[depth];
  if (!step || objects.bytes[start] !== OPEN_BRACE) return undefined;
  const members = objects.membersAt(start, step.allKeys);
  if (members.length === 0) return undefined;
  for (const [i, key] of step.keys.entries()) {
    const member = members.findLast((candidate) => candidate.key === key);
    if (member === undefined) continue;
    const next = depth + i + 1;
    const address =
      next === steps.length
        ? addressIn(objects.bytes, member)
        : addressAt(objects, member.valueStart, steps, next);
    if (address !== undefined) return address;
  }
  return undefined;
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
