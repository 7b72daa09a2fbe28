import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { closeBrowserAfterwards, describeInBrowser } from "../support/browser.ts";
import { dashboardConfig, startWithDashboard } from "../support/dashboard.ts";
import { maxTestMs, sensorId } from "../support/executable.ts";
import { dashboardOf } from "../support/saved-dashboard.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";
import { viewOf } from "../support/view.ts";

setDefaultTimeout(maxTestMs);
closeBrowserAfterwards();

const event = '[{"source":{"ip":"81.2.69.142"},"destination":{"port":23}}]';
const restarted = /Loom was restarted on .*, after it had not run for /;

/** A step takes 10 s. */
const maxStepMs = 30_000;

/** A Loom that is started, gets an event, is stopped and is started again. */
async function restartedLoom(dir: string) {
  const config = dashboardConfig.replace("[dashboard]", `[dashboard]\nstate_dir = ${JSON.stringify(dir)}`);
  const first = await startWithDashboard({ config });
  expect(await send(first.ingestUrl, event)).toBe(204);
  const dashboard = await dashboardOf(first);
  const hasStep = async () => {
    const { values } = (await dashboard.overview()).events.history;
    return values.some((value) => value !== null && value > 0);
  };
  await until("the first step of 10 s is over", hasStep, maxStepMs);
  first.signal("SIGTERM");
  await first.exited;
  await first[Symbol.asyncDispose]();
  return startWithDashboard({ config });
}

/** The number of columns of the first chart that have a mark: a line over most of its height, in the colour of muted text. */
async function markedColumns(page: Page): Promise<number> {
  return page
    .locator(".chart canvas")
    .first()
    .evaluate((canvas: HTMLCanvasElement) => {
      const probe = document.createElement("span");
      probe.style.color = "var(--muted)";
      document.body.append(probe);
      const wanted = (getComputedStyle(probe).color.match(/\d+/g) ?? []).map(Number);
      probe.remove();
      const { width, height } = canvas;
      const data = canvas.getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
      const isMark = (at: number) => wanted.every((value, i) => Math.abs((data[at + i] ?? 0) - value) < 12);
      const columns = Array.from({ length: width }, (_, x) =>
        Array.from({ length: height }, (_, y) => (y * width + x) * 4).filter(
          (at) => (data[at + 3] ?? 0) > 100 && isMark(at),
        ),
      );
      return columns.filter((marked) => marked.length > height * 0.5).length;
    });
}

describeInBrowser("a restart", () => {
  test("is marked in every chart, and what was known before it is shown", async () => {
    const dir = mkdtempSync(join(tmpdir(), "loom-restarts-"));
    await using loom = await restartedLoom(dir);
    await using view = await viewOf(loom);
    const { page } = view;

    for (const path of [
      "/",
      "/refusals",
      "/outputs",
      `/sensors/${sensorId}`,
      `/sensors/${sensorId}?period=31d`,
      `/sensors/${sensorId}?period=12mo`,
    ]) {
      await view.open(path);
      await page.getByRole("img", { name: restarted }).first().waitFor();
    }
    await view.open("/");
    await until("a mark is drawn", async () => (await markedColumns(page)) > 0);
    await page.getByText("1 since", { exact: false }).first().waitFor();

    await view.open("/sensors");
    await page.getByText(/no batch since Loom was restarted/).waitFor();
    await view.open("/attacks?window=24h");
    await page.getByText(/This is not the whole period: Loom has counted since/).waitFor();
    await page.getByText(restarted).waitFor();
    await page.getByRole("link", { name: "30 days", exact: true }).click();
    await page.getByText("London", { exact: false }).first().waitFor({ state: "attached" });
    expect(view.faults).toEqual([]);
    rmSync(dir, { recursive: true, force: true });
  });

  test("that did not happen is not marked", async () => {
    await using loom = await startWithDashboard({
      config: dashboardConfig.replace("[dashboard]", '[dashboard]\nstate_dir = "state"'),
    });
    await using view = await viewOf(loom);
    expect(await send(loom.ingestUrl, event)).toBe(204);
    await view.open("/");
    await view.page
      .getByRole("img", { name: /^Events kept per second over the last hour\. Latest/ })
      .waitFor();
    expect(await markedColumns(view.page)).toBe(0);
    expect(await view.page.getByRole("img", { name: restarted }).count()).toBe(0);
  });
});
