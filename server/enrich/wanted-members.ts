/** `{ iso_code: {}, names: { en: {} } }`: the members that are decoded. A member that is wanted may also be a text or a number. */
export interface Wanted {
  readonly [key: string]: Wanted | readonly [firstElement: Wanted];
}

export interface WantedMember {
  readonly key: string;
  readonly wanted: WantedMembers;
}

interface Candidate extends WantedMember {
  readonly bytes: Buffer;
}

/** Which members of a record are decoded, compiled so that the keys in a file are compared as bytes. */
export class WantedMembers {
  /** The wanted keys of each length. */
  readonly #byLength: Candidate[][] = [];
  /** What is wanted of the first element, if the value is a list; undefined: nothing of a list is wanted. */
  readonly first: WantedMembers | undefined;

  constructor(wanted: Wanted | readonly [firstElement: Wanted]) {
    if (isList(wanted)) {
      this.first = new WantedMembers(wanted[0]);
      return;
    }
    for (const [key, value] of Object.entries(wanted)) {
      const bytes = Buffer.from(key);
      const candidates = this.#byLength[bytes.length] ?? [];
      this.#byLength[bytes.length] = candidates;
      candidates.push({ key, bytes, wanted: new WantedMembers(value) });
    }
  }

  /** The wanted member whose key is at these positions; undefined: it is not wanted. */
  find(bytes: Buffer, start: number, end: number): WantedMember | undefined {
    const candidates = this.#byLength[end - start];
    if (candidates === undefined) return undefined;
    for (const candidate of candidates) if (isAt(bytes, start, candidate.bytes)) return candidate;
    return undefined;
  }
}

function isList(wanted: Wanted | readonly [Wanted]): wanted is readonly [Wanted] {
  return Array.isArray(wanted);
}

function isAt(bytes: Buffer, start: number, key: Buffer): boolean {
  for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key[i]) return false;
  return true;
}
