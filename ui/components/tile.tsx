import type { ComponentChildren } from "preact";

export interface TileProps {
  readonly name: string;
  readonly title: string;
  /** The address of the page with the details. */
  readonly href?: string;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

/** One subject of the overview. */
export function Tile({ name, title, href, isWide = false, children }: TileProps) {
  const titleId = `${name}-title`;
  return (
    <section class={isWide ? "tile wide" : "tile"} aria-labelledby={titleId}>
      <h2 id={titleId}>{href === undefined ? title : <a href={href}>{title}</a>}</h2>
      {children}
    </section>
  );
}

export interface FigureProps {
  readonly value: string;
  readonly unit: ComponentChildren;
  readonly isSmall?: boolean;
}

/** A large number with its unit. */
export function Figure({ value, unit, isSmall = false }: FigureProps) {
  return (
    <p class={isSmall ? "figure small" : "figure"}>
      <strong>{value}</strong> <span>{unit}</span>
    </p>
  );
}
