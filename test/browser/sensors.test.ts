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
    expect(await row.locator("td.number").allTextContents()).toEqual(["3", "0"]);
    expect(await view.page.content()).not.toContain("guessed-secret-token");
    expect(view.faults).toEqual([]);
  });

  test("with a wrong clock have a warning in the list and on their page", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const anHourAgo = new Date(Date.now() - 3_600_000).toISOString();
    expect(await send(loom.ingestUrl, `[{"@timestamp":"${anHourAgo}"}]`)).toBe(204);
    await view.open("/sensors");
    await clockOf(view.page, sensorId).getByText("60 min behind", { exact: true }).waitFor();
    await view.open("/");
    await view.page.getByRole("link", { name: "The clock of 1 sensor is off" }).click();
    await clockOf(view.page, sensorId).getByText("60 min behind", { exact: true }).waitFor();
    expect(await view.page.locator("table.sensors tbody tr").count()).toBe(1);
    await view.open(`/sensors/${sensorId}`);
    await view.page.getByText("its clock is 60 min behind Loom's").waitFor();
  });

  test("that lose events say how many and why in the overview, the list and on their page", async () => {
    await using loom = await startWithDashboard({
      config: dashboardConfig.replace("per_sensor_rps = -1", "per_sensor_rps = 2"),
    });
    await using view = await viewOf(loom);
    const { page } = view;
    for (let refused = 0; refused < 3; )
      if ((await send(loom.ingestUrl, capturedBatch(9))) === 429) refused++;
    const loss = /^≈ \d+ % lost: over 2 requests\/s/;
    await view.open("/");
    await page
      .locator(".verdict")
      .getByText(/is losing events: ≈ \d+ % lost: over 2 requests\/s$/)
      .waitFor();
    await page.locator(".tile", { hasText: "losing events" }).getByText(`${sensorId}: ≈`).waitFor();
    await page.getByRole("link", { name: "losing events", exact: true }).click();
    await rowOf(page, sensorId).getByText("losing events", { exact: true }).waitFor();
    await rowOf(page, sensorId).getByText(loss).waitFor();
    await rowOf(page, sensorId).getByText("3 requests", { exact: true }).waitFor();
    await rowOf(page, sensorId).getByRole("link", { name: sensorId }).click();
    await page.getByText("losing events", { exact: true }).waitFor();
    await page.getByText(loss).waitFor();
    await page
      .locator("dd", { hasText: "rate_limit_exceeded" })
      .getByText(/≈ \d+ events in 3 requests/)
      .waitFor();
    expect(view.faults).toEqual([]);
  });

  test("have their refusals apart from internet noise, which is not a problem", async () => {
    // The databases for tests are old, and so are the captured events; both would be problems.
    const config = dashboardConfig
      .replace(/^\w+_db_path.*$/gm, "")
      .replace("quiet_after_seconds = 2", "quiet_after_seconds = 120");
    await using loom = await startWithDashboard({ config });
    await using view = await viewOf(loom);
    const { page } = view;
    expect(await send(loom.ingestUrl, "[{}]")).toBe(204);
    for (let i = 0; i < 12; i++) expect(await send(loom.ingestUrl, "[{}]", { token: "guessed" })).toBe(401);
    await view.open("/");
    await page
      .locator(".verdict")
      .getByText(/^No problems: 1 sensor is reporting/)
      .waitFor();
    await page.locator(".tile", { hasText: "internet noise" }).getByText("12 requests").waitFor();
    expect(await page.locator(".nav-mark").count()).toBe(0);
    expect(await send(loom.ingestUrl, "[1]")).toBe(400);
    await page
      .getByRole("link", { name: "1 event in 1 request of sensors was refused in the last hour" })
      .click();
    const sensors = page.getByRole("region", { name: "Sensors" });
    await sensors.locator("tbody tr", { hasText: "invalid_request" }).waitFor();
    expect(await sensors.locator("tbody tr").count()).toBe(1);
    const noise = page.getByRole("region", { name: "Internet noise" });
    await noise.getByText("12 requests were refused").waitFor();
    expect(await noise.locator("tbody td.number").allTextContents()).toEqual(["12"]);
    expect(view.faults).toEqual([]);
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
    // Notes have times in them, and lines move at each full minute: both would change every row.
    await page.route("**/api/v1/sensors", async (route) => {
      const response = await route.fetch();
      const answer = (await response.json()) as SensorsAnswer;
      const sensors = answer.sensors.map((sensor) => ({
        ...sensor,
        note: "",
        sparkline: sensor.sparkline.map(() => 0),
      }));
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

  test("suggests an id that is free, and warns of one that exists", async () => {
    await using loom = await startWithDashboard({
      environment: { "LOOM_SENSOR_vps-1": "first-token" },
    });
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/sensors/add");
    await page.locator(".snippet", { hasText: 'sensor_id = "vps-2"' }).waitFor();
    await page.getByLabel("Sensor id").fill("vps-1");
    await page.getByRole("alert").getByText("A sensor with this id exists").waitFor();
    expect(await page.locator(".snippet").count()).toBe(0);
    await page.getByRole("alert").getByRole("link", { name: "vps-1" }).click();
    await page.getByRole("heading", { name: "vps-1" }).waitFor();
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

function clockOf(page: Page, id: string) {
  return rowOf(page, id).locator("td").last();
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
