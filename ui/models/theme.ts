import { createModel, effect, signal } from "@preact/signals";
import { listen } from "./listen.ts";

const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const storageKey = "loom.theme";

export interface ThemeOptions {
  /** The element whose `data-theme` the style sheets read. */
  readonly root: { readonly dataset: Record<string, string | undefined> };
  /** Where the choice is remembered; may throw. */
  readonly storage: () => Pick<Storage, "getItem" | "setItem">;
  /** Dispatches "change" when the system switches between light and dark. */
  readonly prefersDark: EventTarget;
}

/** The colours: light, dark, or the system's. The choice is remembered in this browser. */
export const ThemeModel = createModel(({ root, storage, prefersDark }: ThemeOptions) => {
  const chosen = signal<Theme>(remembered(storage));
  const colourChanges = signal(0);
  effect(() => {
    if (chosen.value === "system") delete root.dataset.theme;
    else root.dataset.theme = chosen.value;
    remember(storage, chosen.value);
    colourChanges.value = colourChanges.peek() + 1;
  });
  effect(() =>
    listen(prefersDark, "change", () => {
      colourChanges.value++;
    }),
  );
  return {
    chosen,
    /** Counts the changes of the colours, also those by the system: a canvas has to be redrawn then. */
    colourChanges,
    /** Chooses the next theme in turn. */
    next() {
      chosen.value = themes[(themes.indexOf(chosen.value) + 1) % themes.length] ?? "system";
    },
  };
});

function remembered(storage: ThemeOptions["storage"]): Theme {
  try {
    const stored = storage().getItem(storageKey);
    return themes.find((known) => known === stored) ?? "system";
  } catch {
    // A browser may forbid storage; then the choice lasts as long as the page.
    return "system";
  }
}

function remember(storage: ThemeOptions["storage"], chosen: Theme): void {
  try {
    storage().setItem(storageKey, chosen);
  } catch {
    // See above.
  }
}
