import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import { formatShortCount } from "../format/numbers.ts";
import { isPageOutdated, signOut } from "../models/api-client.ts";
import { overview } from "../models/overview.ts";
import { switchTheme, theme } from "../models/theme.ts";
import { KeyHelp } from "./key-help.tsx";
import type { Mood } from "./state-mark.tsx";
import { useKeys } from "./use-keys.ts";

interface Place {
  readonly href: string;
  readonly name: string;
  /** After "g". */
  readonly key: string;
}

const places: readonly Place[] = [
  { href: "/", name: "Overview", key: "o" },
  { href: "/sensors", name: "Sensors", key: "s" },
  { href: "/tail", name: "Live tail", key: "t" },
  { href: "/attacks", name: "What attacks", key: "a" },
  { href: "/refusals", name: "Refusals", key: "r" },
  { href: "/enrichment", name: "Enrichment", key: "e" },
  { href: "/outputs", name: "Outputs", key: "u" },
];

/** What is on every page: the way to the others, how Loom is, and the keys. */
export function Shell({ children }: { children: ComponentChildren }) {
  const { path, route } = useLocation();
  const isHelpOpen = useSignal(false);
  useEffect(() => {
    overview.start();
    return () => overview.stop();
  }, []);
  const nav = useRef<HTMLElement>(null);
  const content = useRef<HTMLElement>(null);
  const isFirstPage = useRef(true);
  useEffect(() => {
    // On a narrow screen the pages' names scroll sideways.
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    // Who uses a keyboard or a screen reader goes on in the new page, not where the link was.
    if (!isFirstPage.current) content.current?.focus({ preventScroll: true });
    isFirstPage.current = false;
  }, [path]);
  useKeys([
    {
      key: "?",
      says: "show the keys",
      run: () => {
        isHelpOpen.value = !isHelpOpen.value;
      },
    },
    ...places.map(({ href, name, key }) => ({
      key: `g ${key}`,
      says: `go to ${name}`,
      run: () => route(href),
    })),
    { key: "d", says: "dark, light, or as the system has it", run: switchTheme },
  ]);
  return (
    <div class="shell">
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="side">
        <a class="wordmark" href="/">
          Loom
        </a>
        <nav ref={nav} aria-label="Pages">
          {places.map(({ href, name }) => (
            <a key={href} href={href} aria-current={isAt(path, href) ? "page" : undefined}>
              {name}
              <NavMark href={href} />
            </a>
          ))}
        </nav>
        <div class="side-foot">
          <button
            type="button"
            class="quiet-button"
            onClick={switchTheme}
            title="Dark, light, or as the system has it (d)"
          >
            {theme.value === "system" ? "System colours" : theme.value === "dark" ? "Dark" : "Light"}
          </button>
          <button
            type="button"
            class="quiet-button"
            onClick={() => {
              isHelpOpen.value = true;
            }}
          >
            Keys <kbd>?</kbd>
          </button>
          <button type="button" class="quiet-button" onClick={() => void signOut()}>
            Sign out
          </button>
          <span class="muted version">
            {overview.answer.value && `Loom ${overview.answer.value.version}`}
          </span>
        </div>
      </header>
      <main ref={content} id="content" tabIndex={-1}>
        {isPageOutdated.value && (
          <p class="banner" role="status">
            Loom was updated, and this page is from before.{" "}
            <button type="button" onClick={() => location.reload()}>
              Reload
            </button>
          </p>
        )}
        {children}
      </main>
      {isHelpOpen.value && (
        <KeyHelp
          onClose={() => {
            isHelpOpen.value = false;
          }}
        />
      )}
    </div>
  );
}

function isAt(path: string, href: string): boolean {
  return href === "/" ? path === "/" : path === href || path.startsWith(`${href}/`);
}

/** What there is to see on a page, where that wants attention. */
function NavMark({ href }: { href: string }) {
  const mark = markOf(href);
  if (!mark) return null;
  return (
    <span class={`nav-mark ${mark.mood}`} title={mark.says}>
      {formatShortCount(mark.count)}
      <span class="visually-hidden"> {mark.says}</span>
    </span>
  );
}

function markOf(href: string): { count: number; mood: Mood; says: string } | undefined {
  const answer = overview.answer.value;
  if (!answer) return undefined;
  const { sensors, refusals, outputs } = answer;
  const amiss = sensors.refused + sensors.quiet + sensors.rate_limited;
  const failing = outputs.filter(({ state }) => state === "retrying" || state === "holding");
  if (href === "/sensors" && amiss > 0)
    return {
      count: amiss,
      mood: sensors.refused > 0 ? "bad" : "attention",
      says: "refused, limited or quiet",
    };
  if (href === "/refusals" && refusals.requestsLastHour > 0)
    return { count: refusals.requestsLastHour, mood: "attention", says: "refused in the last hour" };
  if (href === "/outputs" && failing.length > 0)
    return {
      count: failing.length,
      mood: failing.some(({ state }) => state === "holding") ? "bad" : "attention",
      says: "can't be delivered to",
    };
  if (href === "/enrichment" && answer.oldDatabases > 0)
    return { count: answer.oldDatabases, mood: "attention", says: "old databases" };
  return undefined;
}
