import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { closeBrowserAfterwards, describeInBrowser } from "../support/browser.ts";
import { capturedBatch, dashboardConfig, sendSteadily, startWithDashboard } from "../support/dashboard.ts";
import { maxTestMs } from "../support/executable.ts";
import { freePort } from "../support/free-port.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";
import { viewOf } from "../support/view.ts";

setDefaultTimeout(maxTestMs);
closeBrowserAfterwards();

const eventsPerSecond = 2_000;

describeInBrowser("the live tail at 2,000 events a second", () => {
  test("shows the newest first, at most 500 rows, and counts every event", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    await view.open("/tail");
    await liveOn(view.page);
    await using load = sendSteadily(() => loom, eventsPerSecond);
    await until("many events", async () => (await countsOf(view.page)).kept > 6_000);
    await load[Symbol.asyncDispose]();
    const counts = await until("all are counted", async () => {
      const now = await countsOf(view.page);
      return now.kept === load.keptEvents() && now;
    });
    expect(counts.matched).toBe(counts.kept);
    expect(counts.shown + counts.notShown).toBe(counts.matched);
    expect(await view.page.locator("table.events tbody tr").count()).toBe(500);
    const times = await view.page.locator("table.events td.time").allTextContents();
    expect(times).toEqual(times.toSorted().reverse());
    expect(view.faults).toEqual([]);
  });

  test("does not move while it is paused by a key, counts the events that arrive, and resumes", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/tail");
    await liveOn(page);
    await using _load = sendSteadily(() => loom, eventsPerSecond);
    await page.locator("table.events tbody tr").nth(100).waitFor();
    await page.keyboard.press("p");
    await page.getByRole("button", { name: "Resume" }).waitFor();
    const before = await page.locator("table.events tbody").textContent();
    const { shown } = await countsOf(page);
    await until("events arrived during the pause", async () => (await countsOf(page)).waiting === 500);
    expect(await page.locator("table.events tbody").textContent()).toBe(before);
    const during = await countsOf(page);
    expect(during.shown).toBe(shown);
    expect(during.matched).toBe(during.shown + during.waiting + during.notShown);
    await page.getByRole("button", { name: "Resume" }).click();
    await until("it has resumed", async () => (await countsOf(page)).shown >= shown + 500);
    expect(await page.locator("table.events tbody").textContent()).not.toBe(before);
  });

  test("filtered by port, keeps the rows that match and shows no others", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/tail");
    await liveOn(page);
    await using _load = sendSteadily(() => loom, eventsPerSecond);
    await page.locator("table.events tbody tr").nth(200).waitFor();
    const kept = await page.locator("table.events tbody tr", { hasText: "hello" }).count();
    await page.getByLabel("Query").fill("port:23");
    await page.waitForURL(/q=port%3A23/);
    // The matching rows stay on the page before new events arrive.
    await until("only matching rows", async () => {
      const ports = await page.locator("table.events td:nth-child(6)").allTextContents();
      return ports.length >= Math.min(kept, 1) && ports.every((port) => port === "23");
    });
    await until("the filter counts", async () => {
      const { kept: all, matched } = await countsOf(page);
      return all > 2_000 && matched > 0 && matched < all / 5;
    });
  });

  test("keeps its rows while the query is wrong, and says what is meant", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/tail");
    await liveOn(page);
    await send(loom.ingestUrl, capturedBatch(9));
    await page.locator("table.events tbody tr").nth(8).waitFor();
    await page.getByLabel("Query").fill("-port:9 county:gb");
    await page.getByText('there is no field "county"').waitFor();
    expect(await page.locator(".wrong-query mark").textContent()).toBe("county");
    expect(await page.locator("table.events tbody tr").count()).toBe(9);
    await page.getByRole("button", { name: "Replace with country" }).click();
    await page.locator(".wrong-query").waitFor({ state: "detached" });
    expect(await page.getByLabel("Query").inputValue()).toBe("-port:9 country:gb");
    await until(
      "the events from Britain",
      async () => (await page.locator("table.events tbody tr").count()) === 3,
    );
  });

  test("opened at an address with the former parameters, has them as a query", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    await send(loom.ingestUrl, capturedBatch(9));
    await view.open("/tail?country=GB&text=10.0.0.1&port=9");
    await page.waitForURL(/\/tail\?q=/);
    expect(await page.getByLabel("Query").inputValue()).toBe('country:GB port:9 "10.0.0.1"');
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForURL(/\/tail$/);
    await until("all events", async () => (await page.locator("table.events tbody tr").count()) === 9);
    expect(view.faults).toEqual([]);
  });

  test("survives a restart of Loom without missing an event, and shows the restart", async () => {
    const [ingestPort, managementPort] = [await freePort(), await freePort()];
    const config = dashboardConfig
      .replace('listen_address = "127.0.0.1:0"', `listen_address = "127.0.0.1:${ingestPort}"`)
      .replace(
        'management_listen_address = "127.0.0.1:0"',
        `management_listen_address = "127.0.0.1:${managementPort}"`,
      );
    let loom = await startWithDashboard({ config });
    try {
      await using view = await viewOf(loom);
      const { page } = view;
      await view.open("/tail");
      await liveOn(page);
      await using load = sendSteadily(() => loom, eventsPerSecond);
      await until("many events", async () => (await countsOf(page)).kept > 4_000);
      loom.signal("SIGTERM");
      expect(await loom.exited).toBe(0);
      await page.getByText("not connected").waitFor();
      loom = await startWithDashboard({ config });
      await page.locator(".gap-note", { hasText: /restarted at .*; no events are missing/ }).waitFor();
      await liveOn(page);
      await until("more events", async () => (await countsOf(page)).kept > 8_000);
      await load[Symbol.asyncDispose]();
      // The count includes every batch that was answered 204, before and after the restart.
      await until("all are counted", async () => (await countsOf(page)).kept === load.keptEvents());
      const counts = await countsOf(page);
      expect(counts.shown + counts.notShown).toBe(counts.matched);
      expect(view.faults).toEqual([]);
    } finally {
      await loom[Symbol.asyncDispose]();
    }
  });
});

describeInBrowser("an event of the tail", () => {
  test("opens in full, with its payload as text and hexadecimal, every digit, and links to similar events", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    const payload = Buffer.from("GET /x HTTP/1.1\r\n\r\n");
    const event = `{"n":18446744073709551615,"source":{"ip":"81.2.69.142"},"destination":{"port":80},"event":{"original_payload_hex":"${payload.toString("hex")}"},"tls":{"client":{"hash":{"ja4":"t13d_abc"}}},"url":{"path":"/x"}}`;
    await view.open("/tail");
    expect(await send(loom.ingestUrl, `[${event}]`)).toBe(204);
    await page.locator("table.events tbody tr").first().click();
    const drawer = page.getByRole("dialog");
    expect(await drawer.locator("figure", { hasText: "Payload as text" }).textContent()).toContain(
      "GET /x HTTP/1.1",
    );
    expect(await drawer.locator("figure", { hasText: "hexadecimal" }).textContent()).toContain(
      "000000  47 45 54 20 2f 78",
    );
    await drawer.getByRole("button", { name: "Raw" }).click();
    expect(await drawer.locator("pre.raw").textContent()).toContain('"n":18446744073709551615');
    await drawer.getByRole("link", { name: "t13d_abc" }).click();
    await page.waitForURL(/\/tail\?q=ja4%3At13d_abc/);
    expect(view.faults).toEqual([]);
  });

  test("is closed by Escape, and j and k open the next and the previous one", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/tail");
    await send(loom.ingestUrl, capturedBatch(3));
    await page.locator("table.events tbody tr").nth(2).waitFor();
    await page.keyboard.press("j");
    const drawer = page.getByRole("dialog");
    const first = await drawer.textContent();
    await page.keyboard.press("j");
    await until("the next one", async () => (await drawer.textContent()) !== first);
    await page.keyboard.press("k");
    await until("the first again", async () => (await drawer.textContent()) === first);
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
  });
});

async function liveOn(page: Page): Promise<void> {
  await page.locator(".toolbar .state.good", { hasText: "live" }).waitFor();
}

/** The counts that the page shows. */
async function countsOf(page: Page) {
  const text = await page.locator(".counts").textContent();
  const count = (pattern: RegExp) => Number((pattern.exec(text ?? "")?.[1] ?? "0").replaceAll(",", ""));
  return {
    kept: count(/([\d,]+) events/),
    matched: count(/([\d,]+) match/),
    shown: count(/([\d,]+) shown/),
    notShown: count(/([\d,]+) not shown/),
    waiting: count(/([\d,]+) new while paused/),
    missed: count(/([\d,]+) missed/),
  };
}
