import { useEffect, useRef } from "preact/hooks";
import { formatShortCount } from "../format/numbers.ts";
import { type NavigationMark, navigationMarks } from "../models/navigation-marks.ts";
import { navigationPages } from "../page-list.ts";
import { useApp } from "./app-context.ts";

/** The links to the pages, each with the count of what needs attention there. */
export function Navigation({ path }: { path: string }) {
  const { overview } = useApp();
  const nav = useRef<HTMLElement>(null);
  const marks = overview.answer.value ? navigationMarks(overview.answer.value) : {};
  const markCount = Object.keys(marks).length;
  useEffect(() => {
    // On a narrow screen the links scroll sideways, and a mark makes its link wider.
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [path, markCount]);
  return (
    <nav ref={nav} aria-label="Pages">
      {navigationPages.map((page) => (
        <a key={page.id} href={page.path} aria-current={isAt(path, page.path) ? "page" : undefined}>
          {page.title}
          <Mark mark={marks[page.id]} />
        </a>
      ))}
    </nav>
  );
}

function isAt(path: string, pagePath: string): boolean {
  return pagePath === "/" ? path === "/" : path === pagePath || path.startsWith(`${pagePath}/`);
}

function Mark({ mark }: { mark: NavigationMark | undefined }) {
  if (!mark) return null;
  return (
    <span class={`nav-mark ${mark.mood}`} title={mark.says}>
      {formatShortCount(mark.count)}
      <span class="visually-hidden"> {mark.says}</span>
    </span>
  );
}
