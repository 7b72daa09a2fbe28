import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useKeys } from "./use-keys.ts";

export interface DialogProps {
  readonly title: ComponentChildren;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** A "drawer" opens at the side and leaves the page usable. */
  readonly kind?: "modal" | "drawer";
}

/** A dialog over the page that Escape closes. It takes the focus and gives it back when it closes. */
export function Dialog({ title, onClose, children, kind = "modal" }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const before = document.activeElement;
    if (kind === "modal") element.current?.showModal();
    else element.current?.show();
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, [kind]);
  useKeys([{ key: "Escape", says: "close", run: onClose }]);
  return (
    <dialog ref={element} class={kind} aria-labelledby={titleId} onClose={onClose}>
      <header>
        <h2 id={titleId}>{title}</h2>
        <button type="button" class="quiet-button" onClick={onClose}>
          Close
        </button>
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}
