import type { ComponentChildren } from "preact";

/** One name and what is so called, in a `<dl class="facts">`. */
export function Fact({ name, children }: { name: ComponentChildren; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
