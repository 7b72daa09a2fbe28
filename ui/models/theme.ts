import { effect, signal } from "@preact/signals";

const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const storageKey = "loom.theme";

/** Light or dark, or as the system has it. Remembered in this browser. */
export const theme = signal<Theme>(remembered());
/** Counts up whenever the colours change, also by the system: canvases are drawn anew. */
export const coloursChanged = signal(0);

/** The next one in turn. */
export function switchTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? "system";
}

effect(() => {
  const chosen = theme.value;
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  remember(chosen);
  coloursChanged.value = coloursChanged.peek() + 1;
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  coloursChanged.value++;
});

function remembered(): Theme {
  try {
    const stored = localStorage.getItem(storageKey);
    return themes.find((known) => known === stored) ?? "system";
  } catch {
    // A browser may forbid storage; then the choice lasts as long as the page.
    return "system";
  }
}

function remember(chosen: Theme): void {
  try {
    localStorage.setItem(storageKey, chosen);
  } catch {
    // as above
  }
}
