import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { AppModel } from "../../../ui/models/app.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A browser's document without a page. */
class FakeDocument extends EventTarget {
  hidden = false;
  readonly documentElement = { dataset: {} };

  hide(isHidden: boolean): void {
    this.hidden = isHidden;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

function appUnderTest() {
  const document = new FakeDocument();
  const paths: string[] = [];
  const app = new AppModel({
    document,
    fetch: (path) => {
      paths.push(path);
      return Promise.resolve(Response.json({ now: Date.now(), version: "1" }));
    },
    location: { pathname: "/", search: "", assign: () => undefined },
    storage: () => ({ getItem: () => null, setItem: () => undefined }),
    prefersDark: new EventTarget(),
  });
  return { app, document, paths };
}

describe("the models of the page", () => {
  test("run without a DOM: the overview is requested, and keys of the document reach the bindings", () => {
    const { app, document, paths } = appUnderTest();
    const pressed: string[] = [];
    app.keys.bind([{ key: "p", says: "", run: () => pressed.push("p") }]);
    document.dispatchEvent(Object.assign(new Event("keydown"), { key: "p" }));
    expect([paths, pressed]).toEqual([["/api/v1/overview"], ["p"]]);
    app[Symbol.dispose]();
  });

  test("do nothing any more after they are disposed", () => {
    const { app, document, paths } = appUnderTest();
    const pressed: string[] = [];
    app.keys.bind([{ key: "p", says: "", run: () => pressed.push("p") }]);
    app[Symbol.dispose]();
    const time = app.clock.localNow.value;
    document.dispatchEvent(Object.assign(new Event("keydown"), { key: "p" }));
    document.hide(true);
    document.hide(false);
    jest.advanceTimersByTime(60_000);
    expect([paths.length, pressed, app.clock.localNow.value]).toEqual([1, [], time]);
  });

  test("request the overview again when the page becomes visible", () => {
    const { app, document, paths } = appUnderTest();
    document.hide(true);
    expect(app.visibility.isHidden.value).toBe(true);
    document.hide(false);
    expect(paths.length).toBe(2);
    app[Symbol.dispose]();
  });
});
