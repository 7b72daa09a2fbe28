import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page, Response } from "playwright-core";
import { navigationPages, pages } from "../../ui/page-list.ts";
import { closeBrowserAfterwards, describeInBrowser } from "../support/browser.ts";
import { capturedBatch, startWithDashboard } from "../support/dashboard.ts";
import { maxTestMs, type RunningLoom, sensorId } from "../support/executable.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";
import { phone, viewOf } from "../support/view.ts";
import { overflowOf, seriousFaults } from "./accessibility.ts";

setDefaultTimeout(maxTestMs);
closeBrowserAfterwards();

/** The title of each page by its path; the page of a sensor has the sensor's id as its title. */
const titles = pages.map(({ path, title }) =>
  path.includes(":id") ? ([path.replace(":id", sensorId), sensorId] as const) : ([path, title] as const),
);

describeInBrowser("each page", () => {
  let loom: RunningLoom;

  beforeAll(async () => {
    loom = await startWithDashboard();
    expect(await send(loom.ingestUrl, capturedBatch(45))).toBe(204);
    expect(await send(loom.ingestUrl, "[]", { token: "wrong" })).toBe(401);
    expect(await send(loom.ingestUrl, "[1]")).toBe(400);
  });
  afterAll(() => loom?.[Symbol.asyncDispose]());

  for (const [path, title] of titles) {
    test(`${path} has its title`, async () => {
      await using view = await viewOf(loom);
      await view.open(path);
      await untilDrawn(view.page);
      expect(await view.page.locator("h1").textContent()).toBe(title);
      expect(await view.page.title()).toBe(`${title} · Loom`);
      expect(view.faults).toEqual([]);
    });

    for (const colorScheme of ["light", "dark"] as const)
      test(`${path} has no serious accessibility fault, ${colorScheme}`, async () => {
        await using view = await viewOf(loom, { colorScheme });
        await view.open(path);
        await untilDrawn(view.page);
        expect(await seriousFaults(view.page)).toEqual([]);
      });

    test(`${path} fits a phone`, async () => {
      await using view = await viewOf(loom, { viewport: phone, isTouch: true });
      await view.open(path);
      await untilDrawn(view.page);
      expect(await overflowOf(view.page)).toBe(0);
      expect(await seriousFaults(view.page)).toEqual([]);
    });
  }

  test("the opened event and the keyboard shortcuts have no serious accessibility fault", async () => {
    await using view = await viewOf(loom);
    await view.open("/tail");
    await view.page.locator("table.events tbody tr").first().click();
    await view.page.getByRole("dialog").waitFor();
    expect(await seriousFaults(view.page)).toEqual([]);
    await view.page.keyboard.press("Escape");
    await view.page.keyboard.press("?");
    await view.page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    expect(await seriousFaults(view.page)).toEqual([]);
  });

  test("can be reached by keys alone", async () => {
    await using view = await viewOf(loom);
    await view.open("/");
    // The overview comes last, because it is open at first.
    for (const { key, title } of navigationPages.toReversed()) {
      await view.page.keyboard.press("g");
      await view.page.keyboard.press(key);
      await view.page.getByRole("heading", { level: 1, name: title }).waitFor();
    }
  });

  test("is dark or light like the system, or as the theme switch says", async () => {
    await using view = await viewOf(loom, { colorScheme: "dark" });
    await view.open("/");
    const dark = await groundOf(view.page);
    await view.page.emulateMedia({ colorScheme: "light" });
    const light = await groundOf(view.page);
    expect(light).not.toBe(dark);
    await view.page.keyboard.press("d");
    await view.page.keyboard.press("d");
    expect(await groundOf(view.page)).toBe(dark);
    await view.page.reload();
    await until("the choice is remembered", async () => (await groundOf(view.page)) === dark);
  });

  test("that does not exist says so", async () => {
    await using view = await viewOf(loom);
    await view.open("/no/such/page");
    expect(await view.page.locator("h1").textContent()).toBe("Page not found");
  });
});

describeInBrowser("the first load", () => {
  test("is under 150 KB, comes from Loom alone, and needs only the page's files and one answer of the API", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    const responses: Response[] = [];
    page.on("response", (response) => responses.push(response));
    await page.goto("/");
    await page.getByText("per second").waitFor();
    const paths = responses.map((response) => new URL(response.url()).pathname);
    // The overview may be polled again before the text is found, and the browser requests the icon when it likes.
    const kinds = paths.map((path) => path.replace(/^.*(?=\.\w+$)/, "*")).filter((kind) => kind !== "*.svg");
    expect(new Set(kinds)).toEqual(new Set(["/", "*.js", "*.css", "/api/v1/overview"]));
    const files = responses.filter((_, i) => !paths[i]?.startsWith("/api/"));
    const sizes = await Promise.all(
      files.map(async (file) => (await file.request().sizes()).responseBodySize),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(150_000);
    expect(view.faults).toEqual([]);
  });

  test("has its assets cached permanently, and nothing else", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const cached = new Map<string, string | null>();
    view.page.on("response", async (response) => {
      const control = await response.headerValue("cache-control");
      cached.set(new URL(response.url()).pathname, control);
    });
    await view.open("/");
    await view.page.getByText("per second").waitFor();
    for (const [path, control] of cached)
      expect({ path, control }).toEqual({
        path,
        control: /\.(js|css|svg)$/.test(path) ? expect.stringContaining("immutable") : "no-store",
      });
  });
});

describeInBrowser("a page that Loom does not answer", () => {
  test("says how old its data is, and recovers when Loom answers again", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    await view.open("/");
    await view.page.getByText("per second").waitFor();
    await view.context.setOffline(true);
    await view.page.getByText("The data shown is").waitFor();
    expect(await view.page.getByText("per second").isVisible()).toBe(true);
    await view.context.setOffline(false);
    await view.page.getByText("The data shown is").waitFor({ state: "detached" });
  });

  test("says that it cannot load if it has no data yet", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    await view.open("/");
    await view.page.route("**/api/v1/outputs", (route) => route.abort());
    await view.page.getByRole("link", { name: "Outputs" }).first().click();
    await view.page.getByText("Cannot load the outputs: Loom does not answer").waitFor();
    await view.page.unroute("**/api/v1/outputs");
    await view.page.getByRole("button", { name: "Retry now" }).click();
    await view.page.getByRole("heading", { name: "stdout" }).waitFor();
  });

  test("offers to reload when Loom has another build", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    await view.open("/");
    await view.page.getByText("per second").waitFor();
    await view.page.route("**/api/v1/overview", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), "x-loom-build": "another" } });
    });
    await view.page.getByText("Loom was updated").waitFor();
    await view.page.unroute("**/api/v1/overview");
    await view.page.getByRole("button", { name: "Reload" }).click();
    await view.page.getByText("per second").waitFor();
    expect(await view.page.getByText("Loom was updated").count()).toBe(0);
  });
});

async function untilDrawn(page: Page): Promise<void> {
  await until("the page is drawn", async () => {
    const placeholders = await page.locator(".placeholder", { hasText: /Loading|Connecting/ }).count();
    return placeholders === 0;
  });
}

function groundOf(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
}
