import { describe, expect, test } from "bun:test";
import { ThemeModel } from "../../../ui/models/theme.ts";

/** A browser's storage with what was stored before. */
function storageWith(stored?: string) {
  const values = new Map(stored === undefined ? [] : [["loom.theme", stored]]);
  return {
    values,
    storage: () => ({
      getItem: (key: string) => values.get(key) ?? null,
      setItem: (key: string, value: string) => void values.set(key, value),
    }),
  };
}

function themeWith(storage: ConstructorParameters<typeof ThemeModel>[0]["storage"]) {
  const root: { dataset: Record<string, string | undefined> } = { dataset: {} };
  const prefersDark = new EventTarget();
  return { root, prefersDark, theme: new ThemeModel({ root, storage, prefersDark }) };
}

describe("the theme", () => {
  test("is the system's at first, without an attribute", () => {
    const { root, theme } = themeWith(storageWith().storage);
    expect([theme.chosen.value, root.dataset]).toEqual(["system", {}]);
  });

  test("is switched in turn, and remembered", () => {
    const { values, storage } = storageWith();
    const { root, theme } = themeWith(storage);
    const shown = [1, 2, 3].map(() => {
      theme.next();
      return [root.dataset.theme, values.get("loom.theme")];
    });
    expect(shown).toEqual([
      ["light", "light"],
      ["dark", "dark"],
      [undefined, "system"],
    ]);
  });

  test("is the one that was remembered", () => {
    const { root } = themeWith(storageWith("dark").storage);
    expect(root.dataset.theme).toBe("dark");
  });

  test("is the system's if something unknown was remembered", () => {
    expect(themeWith(storageWith("<b>").storage).theme.chosen.value).toBe("system");
  });

  test("can be switched in a browser that forbids storage", () => {
    const { root, theme } = themeWith(() => {
      throw new DOMException("denied", "SecurityError");
    });
    theme.next();
    expect(root.dataset.theme).toBe("light");
  });

  test("counts each change of the colours, also the system's, until it is disposed", () => {
    const { theme, prefersDark } = themeWith(storageWith().storage);
    const before = theme.colourChanges.value;
    theme.next();
    prefersDark.dispatchEvent(new Event("change"));
    expect(theme.colourChanges.value).toBe(before + 2);
    theme[Symbol.dispose]();
    prefersDark.dispatchEvent(new Event("change"));
    expect(theme.colourChanges.value).toBe(before + 2);
  });
});
