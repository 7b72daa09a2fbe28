import { expect, setDefaultTimeout, test } from "bun:test";
import type { AttacksAnswer } from "../../server/management/api/answers.ts";
import { closeBrowserAfterwards, describeInBrowser } from "../support/browser.ts";
import { startWithDashboard } from "../support/dashboard.ts";
import { maxTestMs } from "../support/executable.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";
import { viewOf } from "../support/view.ts";

setDefaultTimeout(maxTestMs);
closeBrowserAfterwards();

const fromLondon = '{"source":{"ip":"81.2.69.142"},"destination":{"port":23}}';
const fromSydney = '{"source":{"ip":"1.128.0.1"},"destination":{"port":22}}';
const fromNowhere = '{"source":{"ip":"10.1.2.3"},"destination":{"port":80}}';
const fromCountryOnly = '{"source":{"ip":"198.51.100.7","geo":{"country_iso_code":"BR"}}}';

describeInBrowser("the attacks", () => {
  test("are on the map by place, with the number of events without a place beside it", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    await send(
      loom.ingestUrl,
      `[${[fromLondon, fromLondon, fromSydney, fromNowhere, fromCountryOnly].join(",")}]`,
    );
    await view.open("/attacks");
    const points = page.locator(".map > svg circle");
    await until("three points", async () => (await points.count()) === 3);
    const titles = await page.locator(".map > svg circle title").allTextContents();
    expect(titles.toSorted()).toEqual(["BR: 1 event", "London, GB: 2 events", "Sydney, AU: 1 event"]);
    await page.getByText("not located: 1").waitFor();
    await page.getByText(/^located: 4/).waitFor();
    expect(view.faults).toEqual([]);
  });

  test("have a larger point for more events, at the right place", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    await send(loom.ingestUrl, `[${[...Array(40).fill(fromLondon), fromSydney].join(",")}]`);
    await view.open("/attacks");
    await page.locator(".map > svg circle").nth(1).waitFor();
    const pointOf = (city: string) =>
      page.locator(".map > svg circle", { hasText: city }).evaluate((circle) => ({
        x: Number(circle.getAttribute("cx")),
        y: Number(circle.getAttribute("cy")),
        radius: Number(circle.getAttribute("r")),
      }));
    const [london, sydney] = [await pointOf("London"), await pointOf("Sydney")];
    expect(london.radius).toBeGreaterThan(sydney.radius * 3);
    expect(sydney.x).toBeGreaterThan(london.x + 200);
    expect(sydney.y).toBeGreaterThan(london.y + 150);
  });

  test("are listed by port, and an entry leads to the tail filtered by it", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    await send(loom.ingestUrl, `[${[fromLondon, fromLondon, fromSydney].join(",")}]`);
    await view.open("/attacks?window=5m");
    const ports = page.locator(".top-list", { has: page.getByRole("heading", { name: "Ports" }) });
    await ports.locator("li").nth(1).waitFor();
    expect(await ports.locator("li").allTextContents()).toEqual(["232", "221"]);
    await ports.getByRole("link", { name: "23" }).click();
    await page.waitForURL(/\/tail\?q=port%3A23/);
    await until("two rows", async () => (await page.locator("table.events tbody tr").count()) === 2);
  });

  test("have a white point with a ring at a new place", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    await send(loom.ingestUrl, `[${fromLondon},${fromSydney}]`);
    // A place is new if it was first seen in the last minute; the test changes the answer instead of waiting.
    await page.route("**/api/v1/attacks*", async (route) => {
      const response = await route.fetch();
      const answer = (await response.json()) as AttacksAnswer;
      const places = answer.places.map((place) => ({ ...place, isNew: place.city === "Sydney" }));
      await route.fulfill({ response, json: { ...answer, places } });
    });
    await view.open("/attacks");
    const fillOf = (city: string) =>
      page
        .locator(".map > svg circle", { hasText: city })
        .evaluate((circle) => getComputedStyle(circle).fill);
    await page.locator(".map > svg circle").nth(1).waitFor();
    expect(await fillOf("Sydney, AU: 1 event, new")).toBe("rgb(255, 255, 255)");
    expect(await fillOf("London")).not.toBe("rgb(255, 255, 255)");
  });

  test("are said to be none without events", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    await view.open("/attacks");
    await view.page.getByText("No events in this period").waitFor();
  });
});
