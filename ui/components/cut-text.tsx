import { dotted, printable } from "../format/printable.ts";

/** A longer text is shortened on the page; copying it still gives the whole text. */
const maxShownLength = 400;
/** A text up to this length has no visible end part: if there is no room, its end is cut. */
const maxUncutLength = 20;
/** This many characters of the end stay visible when the middle is cut. */
const endLength = 8;
const maxHoverLength = 2_000;

const wholeTexts = new WeakMap<Node, string>();

export interface CutTextProps {
  readonly text: string;
  readonly class?: string;
  /** Unsafe characters are shown as dots. The tooltip has their escapes. */
  readonly isDotted?: boolean;
}

/**
 * A text from outside on one line, cut in the middle if there is no room for it. The whole text is its tooltip, and
 * `copyWholeText` copies it. Nothing in it can become markup, change the direction of the line or break it.
 */
export function CutText({ text, class: className = "", isDotted = false }: CutTextProps) {
  const shown = (isDotted ? dotted : printable)(text.length > maxShownLength ? shorten(text) : text);
  const keep = (element: HTMLElement | null) => {
    if (element) wholeTexts.set(element, text);
  };
  return (
    <bdi ref={keep} class={`cut ${className}`} title={printable(text.slice(0, maxHoverLength))}>
      {shown.length <= maxUncutLength ? (
        <span>{shown}</span>
      ) : (
        <>
          <span aria-hidden="true">{shown.slice(0, -endLength)}</span>
          <span aria-hidden="true">{shown.slice(-endLength)}</span>
          {/* A screen reader would read the two parts as two words. */}
          <span class="visually-hidden">{shown}</span>
        </>
      )}
    </bdi>
  );
}

function shorten(text: string): string {
  return `${text.slice(0, maxShownLength - endLength - 1)}…${text.slice(-endLength)}`;
}

/** Handles the document's "copy" event: a selection within one cut text copies the whole text. */
export function copyWholeText(event: ClipboardEvent): void {
  const selection = document.getSelection();
  const cut = elementOf(selection?.anchorNode)?.closest(".cut");
  const whole = cut && wholeTexts.get(cut);
  if (whole === undefined || whole === null || !cut?.contains(selection?.focusNode ?? null)) return;
  event.clipboardData?.setData("text/plain", whole);
  event.preventDefault();
}

function elementOf(node: Node | null | undefined): Element | undefined {
  if (node instanceof Element) return node;
  return node?.parentElement ?? undefined;
}
