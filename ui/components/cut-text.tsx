import { printable } from "../format/printable.ts";

/** What of a long text stands in the page; the whole of it is there to copy. */
const maxShownLength = 400;
/** Such a text is cut at its end, if at all. */
const maxUncutLength = 20;
/** How much of the end stays visible when the middle is cut. */
const endLength = 8;
const maxHoverLength = 2_000;

const wholeTexts = new WeakMap<Element, string>();

/**
 * A text from outside on one line, cut in the middle where there is no room: the whole shows on hover and is what is
 * copied. Nothing in it can be markup, turn the line round or break it.
 */
export function CutText({ text, class: className = "" }: { text: string; class?: string }) {
  const shown = printable(text.length > maxShownLength ? shorten(text) : text);
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
          {/* Read out, two parts would be two words. */}
          <span class="visually-hidden">{shown}</span>
        </>
      )}
    </bdi>
  );
}

function shorten(text: string): string {
  return `${text.slice(0, maxShownLength - endLength - 1)}…${text.slice(-endLength)}`;
}

/** What is copied out of one cut text is the whole of it. */
document.addEventListener("copy", (event) => {
  const selection = document.getSelection();
  const cut = elementOf(selection?.anchorNode)?.closest(".cut");
  const whole = cut && wholeTexts.get(cut);
  if (whole === undefined || whole === null || !cut?.contains(selection?.focusNode ?? null)) return;
  event.clipboardData?.setData("text/plain", whole);
  event.preventDefault();
});

function elementOf(node: Node | null | undefined): Element | undefined {
  if (node instanceof Element) return node;
  return node?.parentElement ?? undefined;
}
