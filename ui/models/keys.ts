import { type ReadonlySignal, signal } from "@preact/signals";

export interface Key {
  /** As `KeyboardEvent.key` names it, or two keys one after the other: "g s". */
  readonly key: string;
  readonly says: string;
  readonly run: () => void;
}

/** The parts of a `KeyboardEvent` that are used. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly target: unknown;
  preventDefault(): void;
}

/** The second key of a sequence must follow within this time. */
const sequenceMs = 1_000;

/** The keys that do something at the moment: those of the shell, of the page and of an open dialog. */
export class Keys {
  readonly #bound = signal<readonly Key[]>([]);
  readonly bound: ReadonlySignal<readonly Key[]> = this.#bound;
  #first = "";
  #firstAt = 0;

  /** Binds keys. @returns a function that releases them */
  bind(keys: readonly Key[]): () => void {
    this.#bound.value = [...this.#bound.peek(), ...keys];
    return () => {
      this.#bound.value = this.#bound.peek().filter((key) => !keys.includes(key));
    };
  }

  /** Runs the key that is bound to a press; keys typed into a field are left alone, apart from Escape. */
  press(event: KeyPress): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const now = Date.now();
    const sequence = now - this.#firstAt < sequenceMs ? `${this.#first} ${event.key}` : event.key;
    const bound = this.#bound.peek();
    this.#first = bound.some(({ key }) => key.startsWith(`${event.key} `)) ? event.key : "";
    this.#firstAt = now;
    // The latest binding wins: a dialog's key over its page's.
    const find = (wanted: string) => bound.findLast(({ key }) => key === wanted);
    const found = find(sequence) ?? find(event.key);
    if (!found) return;
    event.preventDefault();
    found.run();
  }
}

function isTyping({ target, key }: KeyPress): boolean {
  if (key === "Escape" || typeof target !== "object" || target === null) return false;
  const { tagName, isContentEditable } = target as { tagName?: unknown; isContentEditable?: unknown };
  return isContentEditable === true || /^(INPUT|TEXTAREA|SELECT)$/.test(String(tagName));
}
