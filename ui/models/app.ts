import { createModel, effect, signal, untracked } from "@preact/signals";
import type { OverviewAnswer } from "../../server/management/api/answers.ts";
import { ApiClient, type ApiClientOptions } from "./api-client.ts";
import { ClockModel } from "./clock.ts";
import { Keys } from "./keys.ts";
import { listen } from "./listen.ts";
import { Polled } from "./polled.ts";
import { ThemeModel, type ThemeOptions } from "./theme.ts";

/** The parts of the browser that the models use; tests hand in their own. */
export interface BrowserParts extends ApiClientOptions {
  readonly document: EventTarget & {
    readonly hidden: boolean;
    readonly documentElement: ThemeOptions["root"];
  };
  readonly storage: ThemeOptions["storage"];
  readonly prefersDark: ThemeOptions["prefersDark"];
}

export const overviewIntervalMs = 2_000;

/**
 * The models that live as long as the page. Timers, listeners and polling start with the instance and end with its
 * `Symbol.dispose`.
 */
export const AppModel = createModel((browser: BrowserParts) => {
  const { document } = browser;
  const visibility = new VisibilityModel(document);
  const api = new ApiClient(browser);
  const keys = new Keys();
  const clock = new ClockModel(visibility.isHidden, api.serverAheadMs);
  const theme = new ThemeModel({ ...browser, root: document.documentElement });
  // Polled for as long as the page is open: the navigation and the overview show the same answer.
  const overview = new Polled<OverviewAnswer>("/api/v1/overview", {
    api,
    intervalMs: overviewIntervalMs,
    isHidden: visibility.isHidden,
  });
  effect(() => {
    untracked(() => overview.start());
    return () => overview.stop();
  });
  effect(() => listen<KeyboardEvent>(document, "keydown", (event) => keys.press(event)));
  return { api, clock, keys, overview, theme, visibility };
});

/** Whether the page is in a hidden tab or window. */
const VisibilityModel = createModel((document: EventTarget & { readonly hidden: boolean }) => {
  const isHidden = signal(document.hidden);
  effect(() =>
    listen(document, "visibilitychange", () => {
      isHidden.value = document.hidden;
    }),
  );
  return { isHidden };
});
