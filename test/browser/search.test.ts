import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { closeBrowserAfterwards, describeInBrowser } from "../support/browser.ts";
import { dashboardConfig, startWithDashboard } from "../support/dashboard.ts";
import { maxTestMs, type RunningLoom } from "../support/executable.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";
import { phone, type View, viewOf } from "../support/view.ts";
import { overflowOf, seriousFaults } from "./accessibility.ts";

setDefaultTimeout(maxTestMs);
closeBrowserAfterwards();

const storeConfig = `${dashboardConfig}
[output]
type = "store"
store_dir = "store"
[output.outbox]
dir = "outbox"
`;

const hostile = '"><img src=x onerror=alert(1)> \u202e\u0007\\" OR -port:1';
/** 611 events of one address, 250 of another one, and 3 whose user is hostile. */
const events = invented([
  ...Array.from({ length: 611 }, (_, n) => ({ n, ip: "198.51.100.7", port: [22, 23, 80][n % 3] })),
  ...Array.from({ length: 250 }, (_, n) => ({ n, ip: "203.0.113.9", port: 445 })),
  ...Array.from({ length: 3 }, (_, n) => ({ n, ip: "192.0.2.1", port: 22, user: hostile })),
]);

describeInBrowser("the search", () => {
  let loom: RunningLoom;

  beforeAll(async () => {
    loom = await startWithDashboard({ config: storeConfig });
    for (let at = 0; at < events.length; at += 100)
      expect(await send(loom.ingestUrl, JSON.stringify(events.slice(at, at + 100)))).toBe(204);
    await using view = await viewOf(loom);
    await until("all events are stored", async () => {
      const answer = await view.context.request.get("/api/v1/history/count");
      return ((await answer.json()) as { events: number }).events === events.length;
    });
  });
  afterAll(() => loom?.[Symbol.asyncDispose]());

  test("by an address has the exact number of its events, the newest first", async () => {
    await using view = await viewOf(loom);
    await view.open("/search");
    await foundOn(view, events.length);
    await view.page.getByLabel("Query").fill("ip:198.51.100.7");
    await foundOn(view, 611);
    const { rows } = partsOf(view.page);
    expect(await rows.count()).toBe(100);
    const sources = await view.page.locator("table.found td:nth-child(3)").allTextContents();
    expect(new Set(sources)).toEqual(new Set(["198.51.100.7"]));
    expect(await rows.first().textContent()).toContain("SSH-2.0-610···end");
    expect(view.faults).toEqual([]);
  });

  test("has older events page by page, each once, until the oldest", async () => {
    await using view = await viewOf(loom);
    await view.open("/search?q=ip%3A203.0.113.9");
    await foundOn(view, 250);
    const { rows, older } = partsOf(view.page);
    for (const count of [200, 250]) {
      await older.click();
      await until(`${count} rows`, async () => (await rows.count()) === count);
    }
    await view.page.getByText("There are no older events that match.").waitFor();
    const summaries = await view.page.locator("table.found td.what .cut").allTextContents();
    expect(new Set(summaries).size).toBe(250);
  });

  test("is narrowed by a click on a value, excludes by alt-click and by the minus, and Back undoes each", async () => {
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/search");
    const ports = page.locator(".facet", { hasText: "Ports" });
    await ports.getByRole("link", { name: "22", exact: true }).click();
    await page.waitForURL(/q=port%3A22$/);
    await foundOn(view, 204 + 3);
    await page.goBack();
    await foundOn(view, events.length);
    expect(await page.getByLabel("Query").inputValue()).toBe("");
    await ports.getByRole("link", { name: "445", exact: true }).click({ modifiers: ["Alt"] });
    await page.waitForURL(/q=-port%3A445$/);
    await foundOn(view, 611 + 3);
    await ports.getByRole("link", { name: /^Exclude 22: / }).click();
    await foundOn(view, 611 - 204);
    expect(await page.getByLabel("Query").inputValue()).toBe("-port:445 -port:22");
    await page.goBack();
    await foundOn(view, 611 + 3);
    expect(view.faults).toEqual([]);
  });

  test("finds a hostile value exactly by a click on it", async () => {
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/search");
    await page.locator(".facet", { hasText: "Users" }).locator("a").first().click();
    await foundOn(view, 3);
    await page.reload();
    await foundOn(view, 3);
    expect(await page.locator("img").count()).toBe(0);
    expect(view.faults).toEqual([]);
  });

  test("marks what is wrong with the query, keeps its rows, and can replace it", async () => {
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/search?q=port%3A445");
    await foundOn(view, 250);
    await page.getByLabel("Query").fill("prot:22");
    await page.getByText('there is no field "prot"').waitFor();
    expect(await page.locator(".wrong-query mark").textContent()).toBe("prot");
    expect(await partsOf(page).rows.count()).toBe(100);
    await page.getByRole("button", { name: "Replace with port" }).click();
    await foundOn(view, 207);
  });

  test("opened with a wrong query searches nothing", async () => {
    await using view = await viewOf(loom);
    await view.open("/search?q=prot%3A22");
    await view.page.getByText("Nothing is searched until the query is right.").waitFor();
  });

  test("is exported as NDJSON and CSV: what was sent, the oldest first", async () => {
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/search?q=ip%3A198.51.100.7");
    await foundOn(view, 611);
    const lines = (await downloadOf(page, "NDJSON")).trimEnd().split("\n");
    const sent = events.slice(0, 611);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(sent);
    const csv = (await downloadOf(page, "CSV")).trimEnd().split("\r\n");
    expect(csv.length).toBe(1 + 611);
  });

  test("opens an event in full, closes it with Back, and opens it again by its address", async () => {
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/search?q=port%3A445");
    await foundOn(view, 250);
    await partsOf(page).rows.nth(2).click();
    await page.waitForURL(/event=/);
    const drawer = page.getByRole("dialog");
    await drawer.getByRole("button", { name: "Raw" }).click();
    expect(await drawer.locator("pre.raw").textContent()).toContain('"n":247');
    const address = page.url();
    await page.goBack();
    await drawer.waitFor({ state: "detached" });
    expect(page.url()).not.toContain("event=");
    await page.goto(address);
    await drawer.waitFor();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    expect(page.url()).not.toContain("event=");
    expect(await page.getByLabel("Query").inputValue()).toBe("port:445");
  });

  test("steps through events by keys, and Escape leads back to the list, so that Back leaves it", async () => {
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/search?q=port%3A445");
    await foundOn(view, 250);
    await page.getByRole("link", { name: "1 h", exact: true }).click();
    await page.waitForURL(/range=1h/);
    for (const n of [249, 248]) {
      await page.keyboard.press("j");
      await page.getByRole("dialog").getByText(`SSH-2.0-${n}\\r`, { exact: false }).first().waitFor();
    }
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(page.url()).toContain("range=1h");
    await page.goBack();
    await page.waitForURL(/q=port%3A445$/);
    expect(view.faults).toEqual([]);
  });

  test("is zoomed by dragging over the histogram, and the times are in the query", async () => {
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/search?range=15m");
    await foundOn(view, events.length);
    const box = (await page.locator(".histogram svg").boundingBox()) ?? expect.unreachable();
    await page.mouse.move(box.x + box.width * 0.1, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.4, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/since%3A.*until%3A/);
    await page.getByText("No events match in this period.").waitFor();
    await page.getByRole("link", { name: "1 h", exact: true }).click();
    await foundOn(view, events.length);
    expect(await page.getByLabel("Query").inputValue()).toBe("");
  });

  test("completes names and values that occur, by keys alone", async () => {
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/search");
    await page.locator(".facet", { hasText: "Ports" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("po");
    await page.getByRole("option", { name: "port:" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.keyboard.type("44");
    await page.getByRole("option", { name: "445" }).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Tab");
    expect(await page.getByLabel("Query").inputValue()).toBe("port:445");
    await page.keyboard.press("Enter");
    await foundOn(view, 250);
  });

  for (const colorScheme of ["light", "dark"] as const)
    test(`has no serious accessibility fault and fits a phone, ${colorScheme}`, async () => {
      for (const options of [{}, { viewport: phone, isTouch: true }]) {
        await using view = await viewOf(loom, { colorScheme, ...options });
        await view.open("/search?q=port%3A22");
        await foundOn(view, 207);
        await view.page.locator(".facet", { hasText: "Users" }).waitFor({ state: "attached" });
        expect(await seriousFaults(view.page)).toEqual([]);
        expect(await overflowOf(view.page)).toBe(0);
      }
    });
});

describeInBrowser("a search without history", () => {
  test("says how stored events can be searched", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    await view.open("/search");
    await view.page.getByText("Nothing can be searched").waitFor();
    expect(await view.page.locator(".snippet").textContent()).toContain('type = "store"');
  });
});

interface InventedEvent {
  readonly n: number;
  readonly ip: string;
  readonly port: number | undefined;
  readonly user?: string;
}

function invented(list: readonly InventedEvent[]) {
  return list.map(({ n, ip, port, user }) => ({
    n,
    source: { ip },
    destination: { port },
    event: { id: crypto.randomUUID(), summary: `SSH-2.0-${n}\r\n\u0000end` },
    ...(user === undefined ? {} : { user: { name: user } }),
  }));
}

function partsOf(page: Page) {
  return {
    rows: page.locator("table.found tbody tr"),
    older: page.getByRole("button", { name: "Older events" }),
  };
}

/** Waits until the page shows that this many events were found. */
async function foundOn({ page }: View, count: number): Promise<void> {
  await page.locator("[data-count=found]", { hasText: new RegExp(`^${count}$`) }).waitFor();
}

async function downloadOf(page: Page, name: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name, exact: true }).click(),
  ]);
  return Bun.file(await download.path()).text();
}
