import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

/** A page's name, in the page and in the browser's tab, and what belongs beside it. */
export function PageHead({ title, children }: { title: string; children?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · Loom`;
  }, [title]);
  return (
    <div class="page-head">
      <h1>{title}</h1>
      {children}
    </div>
  );
}
