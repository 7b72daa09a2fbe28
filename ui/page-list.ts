/*
 * The pages of the dashboard. The server takes its paths from this list, the page its router, navigation, titles and
 * keys. The server imports this file: it must not import components.
 */

export interface PageEntry {
  readonly id: string;
  /** The path of the page's address; `:id` stands for one segment. A fixed path stands before a pattern that matches it. */
  readonly path: string;
  /** The heading, the title of the browser's tab and the name in the navigation. */
  readonly title: string;
  /** The key that opens the page after "g". A page with a key is in the navigation. */
  readonly key?: string;
}

export const pages = [
  { id: "overview", path: "/", title: "Overview", key: "o" },
  { id: "sensors", path: "/sensors", title: "Sensors", key: "s" },
  { id: "addSensor", path: "/sensors/add", title: "Add a sensor" },
  { id: "sensor", path: "/sensors/:id", title: "Sensor" },
  { id: "search", path: "/search", title: "Search", key: "f" },
  { id: "tail", path: "/tail", title: "Live tail", key: "t" },
  { id: "attacks", path: "/attacks", title: "Attacks", key: "a" },
  { id: "refusals", path: "/refusals", title: "Refusals", key: "r" },
  { id: "enrichment", path: "/enrichment", title: "Enrichment", key: "e" },
  { id: "outputs", path: "/outputs", title: "Outputs", key: "u" },
] as const satisfies readonly PageEntry[];

type Page = (typeof pages)[number];
export type PageId = Page["id"];
export type NavigationPage = Extract<Page, { readonly key: string }>;

/** The pages of the navigation, in its order. */
export const navigationPages: readonly NavigationPage[] = pages.filter((page) => "key" in page);

export function pageTitle(id: PageId): string {
  return pages.find((page) => page.id === id)?.title ?? "";
}
