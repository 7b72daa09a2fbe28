import { expect, setDefaultTimeout, test } from "bun:test";
import { closeBrowserAfterwards, describeInBrowser } from "../support/browser.ts";
import { dashboardConfig, startWithDashboard } from "../support/dashboard.ts";
import { maxTestMs } from "../support/executable.ts";
import { startPickyElasticsearch } from "../support/picky-elasticsearch.ts";
import { send } from "../support/send.ts";
import { viewOf } from "../support/view.ts";

setDefaultTimeout(maxTestMs);
closeBrowserAfterwards();

const startElasticsearch = () =>
  startPickyElasticsearch((document) => document.includes("bad"), "<b>failed</b> to parse \u202efield");

const configFor = (url: string) => `${dashboardConfig}
[output]
type = "elasticsearch"
elasticsearch_url = "${url}"
elasticsearch_install_template = false
[output.outbox]
dir = "outbox"
flush_interval_ms = 50
retry_backoff_ms = 50
retry_max_backoff_ms = 200
`;

describeInBrowser("outputs", () => {
  test("a rejected event is listed with its reason, can be opened in full, and is retried by a button", async () => {
    await using elasticsearch = await startElasticsearch();
    await using loom = await startWithDashboard({ config: configFor(elasticsearch.url) });
    await using view = await viewOf(loom);
    const { page } = view;
    const event = '{"n":18446744073709551615,"event":{"summary":"bad <script>alert(1)</script>"}}';
    expect(await send(loom.ingestUrl, `[${event},{"ok":1}]`)).toBe(204);
    await view.open("/outputs");
    await page.getByText("1 dead letter").waitFor();
    await page.getByRole("button", { name: "Show", exact: true }).click();
    const row = page.locator(".dead-letters tbody tr");
    await row.waitFor();
    expect(await row.textContent()).toContain("document_parsing_exception");
    await row.locator(".link-button").click();
    const drawer = page.getByRole("dialog");
    await drawer.getByRole("button", { name: "Raw" }).click();
    expect(await drawer.locator("pre.raw").textContent()).toContain('"n":18446744073709551615');
    await page.keyboard.press("Escape");

    elasticsearch.refuses = () => false;
    await row.getByRole("button", { name: "Retry", exact: true }).click();
    await page.getByText("1 event will be retried").waitFor();
    await page.getByText("1 dead letter").waitFor({ state: "detached" });
    await page.locator(".facts > div", { hasText: "Rejected" }).getByText("1 since Loom started").waitFor();
    await page.locator(".facts > div", { hasText: "Dead letters" }).getByText("0 now").waitFor();
    expect(view.faults).toEqual([]);
  });

  test("an output that does not answer is shown with its pending events, and delivers them when it answers again", async () => {
    await using elasticsearch = await startElasticsearch();
    await elasticsearch.goAway();
    await using loom = await startWithDashboard({ config: configFor(elasticsearch.url) });
    await using view = await viewOf(loom);
    const { page } = view;
    await view.open("/outputs");
    expect(await send(loom.ingestUrl, '[{"a":1},{"a":2}]')).toBe(204);
    await page.getByText(/failing for .*: .*; (next attempt in|attempt in progress)/).waitFor();
    await page.getByText(/^2 events/).waitFor();
    await page.getByRole("link", { name: "Overview" }).click();
    await page.locator(".verdict", { hasText: "Elasticsearch: failing for" }).waitFor();
    await elasticsearch.comeBack();
    await page.locator(".verdict", { hasText: "Elasticsearch: failing for" }).waitFor({ state: "detached" });
    await page
      .getByRole("row", { name: /Elasticsearch/ })
      .getByRole("cell", { name: "2", exact: true })
      .waitFor();
    expect(view.faults).toEqual([]);
  });
});
