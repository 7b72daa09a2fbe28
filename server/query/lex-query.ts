import { addressPatterns } from "./parse-address.ts";
import { type QueryError, type QuerySpan, queryError } from "./query-error.ts";
import { isQueryName } from "./query-fields.ts";

/*
 * Splits a query into its terms. It never fails, because a query that is being typed is split too: what is wrong with a value
 * is noted at the value.
 *
 *   -port:22,80       a minus sign excludes; values of one field are separated by commas
 *   path:"/a b"*      quotes may surround a part of a value: in them, blanks, commas and wildcards are ordinary characters
 *   wget "a b"        words and quoted texts. A word ends at a blank; quotes and commas within it are ordinary characters
 */

export interface LexedTerm extends QuerySpan {
  readonly isExcluded: boolean;
  /** What stands before the colon; undefined: the term is a word or a quoted text, its only value. */
  readonly field: (QuerySpan & { readonly name: string }) | undefined;
  readonly values: readonly LexedValue[];
}

export interface LexedValue extends QuerySpan {
  /** The parts in quotes and those outside, with escapes replaced. */
  readonly pieces: readonly ValuePiece[];
  readonly fault: QueryError | undefined;
}

export interface ValuePiece {
  readonly text: string;
  readonly isQuoted: boolean;
}

export function lexQuery(text: string): LexedTerm[] {
  const lexer = new Lexer(text);
  const terms: LexedTerm[] = [];
  for (let term = lexer.nextTerm(); term; term = lexer.nextTerm()) terms.push(term);
  return terms;
}

/** The text of a value, without its quotes. */
export function textOfValue({ pieces }: LexedValue): string {
  return pieces.map(({ text }) => text).join("");
}

const blanks = /\s*/y;
const fieldName = /([@A-Za-z][\w.@-]*):/y;
const word = /\S*/y;
const valuePart = /[^\s,"]*/y;
const quotedPart = /[^"\\]*/y;
const escapeSequence = /\\(?:u([\dA-Fa-f]{4})|x([\dA-Fa-f]{2})|([nrt])|([^\dA-Za-z\s]))/y;
const controls: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

class Lexer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  nextTerm(): LexedTerm | undefined {
    this.#take(blanks);
    const start = this.#at;
    if (start === this.#text.length) return undefined;
    const isExcluded = this.#text[start] === "-";
    if (isExcluded) this.#at++;
    const field = this.#fieldName();
    const values = field ? this.#values() : [this.#wordOrText()];
    return { start, end: this.#at, isExcluded, field, values };
  }

  #fieldName(): LexedTerm["field"] {
    const start = this.#at;
    const found = this.#take(fieldName);
    if (!found) return undefined;
    const [, name = ""] = found;
    if (!this.#isField(name, start)) {
      this.#at = start;
      return undefined;
    }
    return { start, end: this.#at - 1, name };
  }

  /** A word may begin like a field: an IPv6 address such as fe80::1, and a URL. */
  #isField(name: string, start: number): boolean {
    if (isQueryName(name)) return true;
    return !this.#text.startsWith("//", this.#at) && addressPatterns(this.#wordAt(start)).kind === "refused";
  }

  #wordAt(start: number): string {
    word.lastIndex = start;
    return word.exec(this.#text)?.[0] ?? "";
  }

  #values(): LexedValue[] {
    const values = [this.#value()];
    while (this.#text[this.#at] === ",") {
      this.#at++;
      values.push(this.#value());
    }
    return values;
  }

  #value(): LexedValue {
    const start = this.#at;
    const pieces: ValuePiece[] = [];
    for (;;) {
      const text = this.#take(valuePart)?.[0] ?? "";
      if (text !== "") pieces.push({ text, isQuoted: false });
      if (this.#text[this.#at] !== '"') return { start, end: this.#at, pieces, fault: undefined };
      const { text: inner, fault } = this.#quoted();
      pieces.push({ text: inner, isQuoted: true });
      if (fault) return { start, end: this.#at, pieces, fault };
    }
  }

  #wordOrText(): LexedValue {
    const start = this.#at;
    if (this.#text[start] !== '"') {
      const text = this.#take(word)?.[0] ?? "";
      return { start, end: this.#at, pieces: [{ text, isQuoted: false }], fault: undefined };
    }
    const { text, fault } = this.#quoted();
    const end = this.#at;
    const rest = this.#take(word)?.[0] ?? "";
    const joined = queryError(
      { start: end, end: this.#at },
      "a blank is missing after the quoted text",
      ` ${rest}`,
    );
    return {
      ...{ start, end: this.#at, pieces: [{ text, isQuoted: true }] },
      fault: fault ?? (rest === "" ? undefined : joined),
    };
  }

  /** Reads from one quote to the next. After a fault, the rest of the query belongs to the text. */
  #quoted(): { readonly text: string; readonly fault: QueryError | undefined } {
    const start = this.#at++;
    let text = "";
    for (;;) {
      text += this.#take(quotedPart)?.[0] ?? "";
      const at = this.#at;
      if (this.#text[at] === '"') {
        this.#at++;
        return { text, fault: undefined };
      }
      const escaped = at < this.#text.length ? this.#take(escapeSequence) : undefined;
      if (escaped) {
        text += escapedCharacter(escaped);
        continue;
      }
      const rest = this.#text.slice(start);
      this.#at = this.#text.length;
      if (at === this.#text.length) {
        const message = "the quoted text has no end: a quote is missing";
        return { text, fault: queryError({ start, end: at }, message, `${rest}"`) };
      }
      const message = String.raw`after a backslash in quotes, only \n, \r, \t, \xHH, \uHHHH and signs such as \" and \\ are allowed`;
      return { text, fault: queryError({ start: at, end: at + 1 }, message, String.raw`\\`) };
    }
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found) this.#at = pattern.lastIndex;
    return found;
  }
}

function escapedCharacter([, long, short, control, sign]: RegExpExecArray): string {
  const digits = long ?? short;
  if (digits !== undefined) return String.fromCharCode(Number.parseInt(digits, 16));
  return control === undefined ? (sign ?? "") : (controls[control] ?? "");
}
