import type { Leaf, MemberSink } from "./additions.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const FIRST_PRINTABLE = 0x20;
const LAST_ASCII = 0x7f;

/** A character takes up to 6 bytes, as an escape. */
const maxBytesOfCharacter = 6;

/**
 * Members as bytes to insert before the closing brace of an object that has members: `,"as":{…},"geo":{…}`. They are written
 * character by character into one buffer, because concatenating strings and then encoding them took three times as long.
 */
export class MemberBytes implements MemberSink {
  #bytes = Buffer.allocUnsafe(16 * 1024);
  #length = 0;
  #fields = 0;
  /** The positions at which the objects begin that are not ended yet. */
  readonly #starts: number[] = [];

  beginObject(key: string): void {
    this.#starts.push(this.#length);
    this.#key(key);
    this.#bytes[this.#length++] = OPEN_BRACE;
  }

  endObject(): void {
    const start = this.#starts.pop() ?? 0;
    if (this.#bytes[this.#length - 1] === OPEN_BRACE) this.#length = start;
    else this.#bytes[this.#length++] = CLOSE_BRACE;
  }

  text({ key, fields }: Leaf, value: string): void {
    this.#fields |= fields;
    this.#key(key, value.length);
    const start = this.#length;
    this.#bytes[this.#length++] = QUOTE;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code < FIRST_PRINTABLE || code >= LAST_ASCII || code === QUOTE || code === BACKSLASH) {
        this.#length = start + this.#bytes.write(JSON.stringify(value), start);
        return;
      }
      this.#bytes[this.#length++] = code;
    }
    this.#bytes[this.#length++] = QUOTE;
  }

  json({ key, fields }: Leaf, json: string): void {
    this.#fields |= fields;
    this.#key(key, json.length);
    this.#ascii(json);
  }

  /** Returns what was written since the last call, and its fields as a bit mask. */
  take(): { bytes: Buffer; fields: number } {
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    const fields = this.#fields;
    this.#length = 0;
    this.#fields = 0;
    return { bytes, fields };
  }

  /** @param valueLength the number of characters for which there has to be space behind the key */
  #key(key: string, valueLength = 0): void {
    const needed = this.#length + (key.length + valueLength + 8) * maxBytesOfCharacter;
    if (needed > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], 2 * needed);
    if (this.#bytes[this.#length - 1] !== OPEN_BRACE) this.#bytes[this.#length++] = COMMA;
    this.#bytes[this.#length++] = QUOTE;
    this.#ascii(key);
    this.#bytes[this.#length++] = QUOTE;
    this.#bytes[this.#length++] = 0x3a;
  }

  #ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i);
  }
}
