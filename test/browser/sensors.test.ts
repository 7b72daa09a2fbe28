import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { SensorsAnswer } from "../../server/management/api/answers.ts";
import { closeBrowserAfterwards, describeInBrowser } from "../support/browser.ts";
import { capturedBatch, dashboardConfig, sendSteadily, startWithDashboard } from "../support/dashboard.ts";
import { maxTestMs, sensorId } from "../support/executable.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";
import { viewOf } from "../support/view.ts";

setDefaultTimeout(maxTestMs);
closeBrowserAfterwards();

describeInBrowser("sensors", () => {
  test("are listed before they send events, report with their first batch, and are then called quiet but not dead", async () => {
    await using loom = await startWithDashboard({ environment: { LOOM_SENSOR_silent: "silent-token" } });
    await using view = await viewOf(loom);
    await view.open("/sensors");
    await rowOf(view.page, "silent").getByText("never seen", { exact: true }).waitFor();
    await rowOf(view.page, sensorId).getByText("never seen", { exact: true }).waitFor();
    const load = sendSteadily(() => loom, 200);
    await rowOf(view.page, sensorId).getByText("reporting", { exact: true }).waitFor();
    await load[Symbol.asyncDispose]();
    await rowOf(view.page, sensorId).getByText("quieter than usual", { exact: true }).waitFor();
    await rowOf(view.page, sensorId)
      .getByText(/last batch .* ago, usual gap/)
      .waitFor();
    await rowOf(view.page, "silent").getByText("never seen", { exact: true }).waitFor();
    expect(await view.page.locator("body").textContent()).not.toMatch(/\bdead\b|offline/i);
    expect(view.faults).toEqual([]);
  });

  test("with a wrong token are refused under the id that they claim, with the reason and the fix", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const headers = { "x-spip-id": sensorId };
    for (let i = 0; i < 3; i++)
      expect(await send(loom.ingestUrl, "[]", { token: "guessed-secret-token", headers })).toBe(401);
    await view.open("/sensors");
    await rowOf(view.page, sensorId).getByText("refused", { exact: true }).waitFor();
    await view.page.getByRole("link", { name: "Refusals" }).first().click();
    const row = view.page.locator("table.refusals tbody tr").first();
    await row.waitFor();
    const text = String(await row.textContent());
    expect(text).toContain("unauthorized");
    expect(text).toContain(sensorId);
    expect(text).toContain("127.0.0.1");
    expect(text).toMatch(/token/);
    expect(await row.locator("td.number").textContent()).toBe("3");
    expect(await view.page.content()).not.toContain("guessed-secret-token");
    expect(view.faults).toEqual([]);
  });

  test("with a wrong clock have a warning in the list and on their page", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const anHourAgo = new Date(Date.now() - 3_600_000).toISOString();
    expect(await send(loom.ingestUrl, `[{"@timestamp":"${anHourAgo}"}]`)).toBe(204);
    await view.open("/sensors");
    await rowOf(view.page, sensorId).getByText("its clock is 60 min behind Loom's").waitFor();
    await view.open(`/sensors/${sensorId}`);
    await view.page.getByText("its clock is 60 min behind Loom's").waitFor();
  });

  test("have a page with their rate, most frequent values, refusals and live events", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page } = view;
    expect(await send(loom.ingestUrl, capturedBatch(18))).toBe(204);
    expect(await send(loom.ingestUrl, "{")).toBe(400);
    await view.open(`/sensors/${sensorId}`);
    await page.locator(".top-list", { hasText: "Ports" }).getByRole("link", { name: "6379" }).waitFor();
    await page
      .locator(".top-list", { hasText: "Countries" })
      .getByRole("link", { name: /GB United Kingdom/ })
      .waitFor();
    await page
      .locator(".top-list", { hasText: "Networks" })
      .getByRole("link", { name: /^AS\d+ Example/ })
      .first()
      .waitFor();
    await page.locator("table.refusals", { hasText: "invalid_request" }).waitFor();
    await until("its events", async () => (await page.locator("table.events tbody tr").count()) === 18);
    expect(view.faults).toEqual([]);
  });

  test("are sorted, searched and scrolled, a thousand of them, and an answer changes only the rows that differ", async () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `vps-${String(i).padStart(4, "0")}`);
    const environment = Object.fromEntries(names.map((name) => [`LOOM_SENSOR_${name}`, `token-of-${name}`]));
    await using loom = await startWithDashboard({ environment });
    await using view = await viewOf(loom);
    const { page } = view;
    const rows = page.locator("table.sensors tbody tr");
    // Notes have times in them, and would change every row.
    await page.route("**/api/v1/sensors", async (route) => {
      const response = await route.fetch();
      const answer = (await response.json()) as SensorsAnswer;
      const sensors = answer.sensors.map((sensor) => ({ ...sensor, note: "" }));
      await route.fulfill({ response, json: { ...answer, sensors } });
    });
    await view.open("/sensors");
    await page.getByText("1,001 sensors").waitFor();
    expect(await rows.count()).toBe(100);

    // The order by id stays the same when sensors report, so that a row is touched only if its content changes.
    await page.getByRole("button", { name: "Sensor", exact: true }).click();
    await rows.nth(0).getByText("vps-0000").waitFor();
    await recordChangedRows(page);
    const reporting = ["vps-0003", "vps-0040", "vps-0077"];
    for (const name of reporting)
      expect(await send(loom.ingestUrl, "[{}]", { token: `token-of-${name}` })).toBe(204);
    for (const name of reporting) await rowOf(page, name).getByText("reporting", { exact: true }).waitFor();
    expect(await changedRows(page)).toEqual(reporting);

    await page.getByRole("button", { name: "Events" }).click();
    await until("the sensors with events are first", async () =>
      (await rows.nth(0).textContent())?.startsWith("vps-0003"),
    );
    await page.getByLabel("Search sensors").fill("vps-07");
    await page.getByText("100 of 1,001 sensors").waitFor();
    expect(await rows.count()).toBe(100);
    await page.getByLabel("Search sensors").fill("");
    await until("all rows are drawn by scrolling", async () => {
      await page.mouse.wheel(0, 10_000);
      return (await rows.count()) === 1_001;
    });
    expect(view.faults).toEqual([]);
  });
});

describeInBrowser("adding a sensor", () => {
  test("works with the texts that the page shows, from the token to the first event", async () => {
    await using loom = await startWithDashboard({
      config: `${dashboardConfig}\n[auth]\ntoken_file = "tokens.txt"\n`,
      files: { "tokens.txt": "first-token,first\n" },
    });
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/sensors/add");
    await page.getByLabel("Sensor id").fill("vps-new");
    await page.getByText("Loom does not know this sensor yet").waitFor();
    const [tokenLine = "", environmentLine = "", spip = "", curl = ""] = await page
      .locator(".snippet pre")
      .allTextContents();
    expect(environmentLine).toStartWith("LOOM_SENSOR_vps_new=");
    expect(spip).toContain(`url = "${loom.ingestUrl}"`);

    // Before Loom knows the sensor its first request is refused, and the page says so.
    expect(runInShell(curl)).toContain("HTTP/1.1 401");
    await page.getByText(/1 request refused: unauthorized/).waitFor();

    appendFileSync(join(loom.folder, "tokens.txt"), `${tokenLine}\n`);
    loom.signal("SIGHUP");
    await page.getByText("Loom knows the sensor").waitFor();
    expect(runInShell(curl)).toContain("HTTP/1.1 204");
    await page.getByText("Events arrive: 1 event").waitFor();
    expect(view.faults).toEqual([]);
  });

  test("is not offered for an id that would break something", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    await view.open("/sensors/add");
    await view.page.locator(".snippet").first().waitFor();
    await view.page.getByLabel("Sensor id").fill("a b'; rm -rf");
    await until("no text to paste", async () => (await view.page.locator(".snippet").count()) === 0);
  });
});

function rowOf(page: Page, id: string) {
  return page.locator("table.sensors tbody tr", { has: page.getByRole("rowheader", { name: id }) });
}

/** Begins to record in which rows of the table the page changes something. */
async function recordChangedRows(page: Page): Promise<void> {
  await page.locator("table.sensors tbody").evaluate((body) => {
    const changed = new Set<string>();
    Object.assign(globalThis, { changedRows: changed });
    new MutationObserver((mutations) => {
      for (const { target } of mutations) {
        const element = target instanceof Element ? target : target.parentElement;
        changed.add(element?.closest("tr")?.querySelector("th")?.textContent ?? "no row");
      }
    }).observe(body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
}

async function changedRows(page: Page): Promise<string[]> {
  const changed = await page.evaluate(() => [
    ...(globalThis as unknown as { changedRows: ReadonlySet<string> }).changedRows,
  ]);
  return changed.sort();
}

function runInShell(command: string): string {
  return Bun.spawnSync(["sh", "-c", `${command} --silent --max-time 10`]).stdout.toString();
}
