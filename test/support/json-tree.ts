import type { Random } from "./random.ts";

/** A JSON value that keeps how it is written: the blanks between its tokens, duplicate keys, and escapes. */
export type JsonTree = JsonText | JsonList | JsonObject;

/** A value that is not examined further. */
export interface JsonText {
  readonly kind: "text";
  readonly text: string;
}

export interface JsonList {
  readonly kind: "list";
  readonly items: JsonTree[];
  readonly blank: string;
}

export interface JsonObject {
  readonly kind: "object";
  readonly members: JsonMember[];
  readonly blank: string;
}

export interface JsonMember {
  /** With its quotes. */
  readonly key: string;
  value: JsonTree;
}

/** Writes a tree; its blanks are around each token inside. */
export function print(tree: JsonTree): string {
  if (tree.kind === "text") return tree.text;
  const { blank } = tree;
  if (tree.kind === "list") return `[${blank}${tree.items.map(print).join(`${blank},${blank}`)}${blank}]`;
  const members = tree.members.map(({ key, value }) => `${key}${blank}:${blank}${print(value)}`);
  return `{${blank}${members.join(`${blank},${blank}`)}${blank}}`;
}

/** The last member with a key, which is the one that parsers use. */
export function lastMember(object: JsonObject, key: string): JsonMember | undefined {
  return object.members.findLast((member) => JSON.parse(member.key) === key);
}

/** A string with its quotes; now and then with escapes. */
export function writtenString(text: string, random: Random): string {
  if (random.below(6) > 0) return JSON.stringify(text);
  const escaped = text.replace(/[\s\S]/g, (char) =>
    random.below(2) === 0 ? JSON.stringify(char).slice(1, -1) : unicodeEscape(char, random),
  );
  return `"${escaped}"`;
}

function unicodeEscape(char: string, random: Random): string {
  const digits = char.charCodeAt(0).toString(16).padStart(4, "0");
  return `\\u${random.below(2) === 0 ? digits : digits.toUpperCase()}`;
}

export function randomBlank(random: Random): string {
  return random.below(3) > 0 ? "" : random.pick([" ", "\t", "\n", "\r", "\r\n", " \n\t "]);
}
