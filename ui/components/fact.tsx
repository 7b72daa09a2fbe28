import type { ComponentChildren } from "preact";

export interface FactProps {
  readonly name: ComponentChildren;
  readonly children: ComponentChildren;
  /** Takes a whole row. */
  readonly isWide?: boolean;
}

/** One name with its value, in a `<dl class="facts">`. */
export function Fact({ name, children, isWide = false }: FactProps) {
  return (
    <div class={isWide ? "whole-row" : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
