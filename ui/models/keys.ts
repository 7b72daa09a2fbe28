import { signal } from "@preact/signals";

export interface Key {
  /** As `KeyboardEvent.key` has it, or two after each other: "g s". */
  readonly key: string;
  readonly says: string;
  readonly run: () => void;
}

const sequenceMs = 1_000;

/** Of the shell and of the page that is shown. */
const bound = signal<readonly Key[]>([]);
export const knownKeys = bound;

let first = "";
let firstAt = 0;

/** Binds keys until the returned function is called. */
export function bindKeys(keys: readonly Key[]): () => void {
  bound.value = [...bound.peek(), ...keys];
  return () => {
    bound.value = bound.peek().filter((key) => !keys.includes(key));
  };
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const now = performance.now();
  const sequence = now - firstAt < sequenceMs ? `${first} ${event.key}` : event.key;
  const isBegun = bound.peek().some(({ key }) => key.startsWith(`${event.key} `));
  first = isBegun ? event.key : "";
  firstAt = now;
  // The latest binding wins: a drawer's over its page's.
  const key = bound.peek().findLast(({ key }) => key === sequence || key === event.key);
  if (!key) return;
  event.preventDefault();
  key.run();
});

function isTyping({ target, key }: KeyboardEvent): boolean {
  if (key === "Escape") return false;
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
