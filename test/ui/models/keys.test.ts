import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { type KeyPress, Keys } from "../../../ui/models/keys.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Keys that record which of them ran. */
function recordingKeys(...names: readonly string[]) {
  const keys = new Keys();
  const ran: string[] = [];
  const bind = (...bound: readonly string[]) =>
    keys.bind(bound.map((key) => ({ key, says: "", run: () => ran.push(key) })));
  bind(...names);
  return { keys, ran, bind };
}

function pressOf(key: string, more: Partial<KeyPress> = {}) {
  const press = {
    key,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    target: null,
    isPrevented: false,
    preventDefault() {
      press.isPrevented = true;
    },
    ...more,
  };
  return press;
}

describe("a key", () => {
  test("runs what is bound to it, and the browser does not handle it", () => {
    const { keys, ran } = recordingKeys("p");
    const press = pressOf("p");
    keys.press(press);
    expect([ran, press.isPrevented]).toEqual([["p"], true]);
  });

  test("that is not bound is left to the browser", () => {
    const { keys, ran } = recordingKeys("p");
    const press = pressOf("q");
    keys.press(press);
    expect([ran, press.isPrevented]).toEqual([[], false]);
  });

  for (const modifier of ["ctrlKey", "metaKey", "altKey"] as const)
    test(`with ${modifier} is left to the browser`, () => {
      const { keys, ran } = recordingKeys("p");
      keys.press(pressOf("p", { [modifier]: true }));
      expect(ran).toEqual([]);
    });

  for (const target of [
    { tagName: "INPUT" },
    { tagName: "TEXTAREA" },
    { tagName: "SELECT" },
    { tagName: "DIV", isContentEditable: true },
  ])
    test(`typed into ${JSON.stringify(target)} does nothing, apart from Escape`, () => {
      const { keys, ran } = recordingKeys("p", "Escape");
      keys.press(pressOf("p", { target }));
      keys.press(pressOf("Escape", { target }));
      expect(ran).toEqual(["Escape"]);
    });

  test("on a button runs", () => {
    const { keys, ran } = recordingKeys("p");
    keys.press(pressOf("p", { target: { tagName: "BUTTON", isContentEditable: false } }));
    expect(ran).toEqual(["p"]);
  });

  test("of a dialog takes precedence over the page's, until the dialog closes", () => {
    const keys = new Keys();
    const ran: string[] = [];
    keys.bind([{ key: "Escape", says: "", run: () => ran.push("page") }]);
    const release = keys.bind([{ key: "Escape", says: "", run: () => ran.push("dialog") }]);
    keys.press(pressOf("Escape"));
    release();
    keys.press(pressOf("Escape"));
    expect(ran).toEqual(["dialog", "page"]);
    expect(keys.bound.value.length).toBe(1);
  });
});

describe("a sequence of two keys", () => {
  test("runs when the second key follows within a second, and not the second key alone", () => {
    const { keys, ran } = recordingKeys("g s", "s");
    keys.press(pressOf("g"));
    jest.advanceTimersByTime(999);
    keys.press(pressOf("s"));
    expect(ran).toEqual(["g s"]);
  });

  test("does not run when the second key follows later", () => {
    const { keys, ran } = recordingKeys("g s", "s");
    keys.press(pressOf("g"));
    jest.advanceTimersByTime(1_000);
    keys.press(pressOf("s"));
    expect(ran).toEqual(["s"]);
  });

  test("does not run when another key comes between", () => {
    const { keys, ran } = recordingKeys("g s", "s");
    for (const key of ["g", "x", "s"]) keys.press(pressOf(key));
    expect(ran).toEqual(["s"]);
  });

  test("runs again only after its first key", () => {
    const { keys, ran } = recordingKeys("g s");
    for (const key of ["g", "s", "s"]) keys.press(pressOf(key));
    expect(ran).toEqual(["g s"]);
  });
});
