import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import { listen } from "../models/listen.ts";
import { navigationPages } from "../page-list.ts";
import { useApp } from "./app-context.ts";
import { copyWholeText } from "./cut-text.tsx";
import { KeyHelp } from "./key-help.tsx";
import { Navigation } from "./navigation.tsx";
import { useKeys } from "./use-keys.ts";

/** The parts of every page: navigation, keyboard shortcuts, theme and sign-out. */
export function Shell({ children }: { children: ComponentChildren }) {
  const { theme } = useApp();
  const { path, route } = useLocation();
  const isHelpOpen = useSignal(false);
  const content = useFocusOnNewPage(path);
  useEffect(() => listen(document, "copy", copyWholeText), []);
  useKeys([
    {
      key: "?",
      says: "show the keyboard shortcuts",
      run: () => {
        isHelpOpen.value = !isHelpOpen.value;
      },
    },
    ...navigationPages.map((page) => ({
      key: `g ${page.key}`,
      says: `go to ${page.title}`,
      run: () => route(page.path),
    })),
    { key: "d", says: "switch the theme: system, light or dark", run: () => theme.next() },
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
        <Navigation path={path} />
        <SideFoot
          onHelp={() => {
            isHelpOpen.value = true;
          }}
        />
      </header>
      <main ref={content} id="content" tabIndex={-1}>
        <OutdatedBanner />
        {children}
        <Attribution />
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

/** Moves the focus into each new page, so that keyboard and screen reader continue there. @returns the ref of the content */
function useFocusOnNewPage(path: string) {
  const content = useRef<HTMLElement>(null);
  const isFirstPage = useRef(true);
  useEffect(() => {
    if (!isFirstPage.current) content.current?.focus({ preventScroll: true });
    isFirstPage.current = false;
  }, [path]);
  return content;
}

const themeNames = { system: "System theme", light: "Light theme", dark: "Dark theme" } as const;

function SideFoot({ onHelp }: { onHelp: () => void }) {
  const { api, overview, theme } = useApp();
  return (
    <div class="side-foot">
      <button
        type="button"
        class="quiet-button"
        onClick={() => theme.next()}
        title="Switch the theme: system, light or dark (d)"
      >
        {themeNames[theme.chosen.value]}
      </button>
      <button type="button" class="quiet-button" onClick={onHelp}>
        Shortcuts <kbd>?</kbd>
      </button>
      <button type="button" class="quiet-button" onClick={() => void api.signOut()}>
        Sign out
      </button>
      <span class="muted version">{overview.answer.value && `Loom ${overview.answer.value.version}`}</span>
    </div>
  );
}

/** The licence of the built-in database of networks (CC BY 4.0) requires these names, and DB-IP the link. */
function Attribution() {
  const { overview } = useApp();
  if (!overview.answer.value?.hasBuiltinNetworks) return null;
  return (
    <footer class="attribution muted">
      <a href="https://db-ip.com" rel="noreferrer">
        IP Geolocation by DB-IP
      </a>
      , RouteViews and NRO (CC BY 4.0)
    </footer>
  );
}

function OutdatedBanner() {
  const { isPageOutdated } = useApp().api;
  if (!isPageOutdated.value) return null;
  return (
    <p class="banner" role="status">
      Loom was updated. Reload this page to use the new version.{" "}
      <button type="button" onClick={() => location.reload()}>
        Reload
      </button>
    </p>
  );
}
