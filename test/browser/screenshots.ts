/**
 * Takes screenshots of every page of the dashboard, light and dark, on a desktop and a phone.
 *   bun run screenshots [minutes]
 * Builds and starts Loom, sends generated traffic for the given number of minutes (default 2), and writes to
 * `dist/screenshots/`. Of its outputs beside the store, one rejects some events, and the other does not answer.
 * Needs Chromium.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pages } from "../../ui/page-list.ts";
import { dashboardConfig, startWithDashboard } from "../support/dashboard.ts";
import { freePort } from "../support/free-port.ts";
import { startPickyElasticsearch } from "../support/picky-elasticsearch.ts";
import { send } from "../support/send.ts";
import { closeBrowser, desktop, phone, viewOf } from "../support/view.ts";
import { chanceToSend, madeUpBatch } from "./screenshots/traffic.ts";

const minutes = Number(process.argv[2] ?? 2);
const folder = join(import.meta.dir, "../../dist/screenshots");
const sensors = [
  "frankfurt-01",
  "frankfurt-02",
  "tokyo-01",
  "sydney-01",
  "ashburn-01",
  "saopaulo-01",
  "lagos-01",
];
const silent = ["mumbai-01", "milan-01"];
const tokenOf = (sensor: string) => `token-of-${sensor}`;

/** The address of each page by the name of its pictures. */
const addresses = pages.map(({ id, path }) => {
  // The run is short, and so is the period that is shown.
  if (id === "attacks") return [id, `${path}?window=5m`] as const;
  if (id === "search") return [id, `${path}?range=15m`] as const;
  return [id, path.replace(":id", "frankfurt-01")] as const;
});

await using elasticsearch = await startPickyElasticsearch(
  (document) => document.includes('"sequence":"?"'),
  "failed to parse field [event.sequence] of type [long]",
);
await using loom = await startWithDashboard({
  config: `${dashboardConfig
    .replace("quiet_after_seconds = 2", "quiet_after_seconds = 20")
    .replace("per_sensor_rps = -1", "per_sensor_rps = 5")}
[output]
type = ["store", "elasticsearch", "clickhouse"]
store_dir = "store"
elasticsearch_url = "${elasticsearch.url}"
elasticsearch_install_template = false
clickhouse_url = "http://127.0.0.1:${freePort()}"
[output.outbox]
dir = "outbox"
flush_interval_ms = 1000
`,
  environment: Object.fromEntries(
    [...sensors, ...silent, "milton-01", "perth-01"].map((sensor) => [
      `LOOM_SENSOR_${sensor}`,
      tokenOf(sensor),
    ]),
  ),
});

console.error(`screenshots: ${minutes} minutes of generated traffic`);
await attack();
mkdirSync(folder, { recursive: true });
for (const colorScheme of ["light", "dark"] as const)
  for (const [width, viewport] of Object.entries({ desk: desktop, phone })) {
    await using view = await viewOf(loom, { colorScheme, viewport, isTouch: viewport === phone });
    for (const [name, path] of addresses) {
      await view.open(path);
      await attackOnce(1);
      await view.page.waitForTimeout(1_000);
      await view.page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
    }
    await view.open("/tail");
    await view.page.getByText("POST /boaform/admin/formLogin").first().click();
    await view.page.getByRole("dialog").waitFor();
    await view.page.screenshot({ path: join(folder, `event-${colorScheme}-${width}.png`) });
    if (view.faults.length > 0) throw new Error(view.faults.join("\n"));
  }
await closeBrowser();
console.error(`screenshots: ${folder}`);

async function attack(): Promise<void> {
  const endAt = Date.now() + minutes * 60_000;
  for (let second = 0; Date.now() < endAt; second++) {
    await attackOnce(second);
    await Bun.sleep(1_000);
  }
}

/**
 * One second of traffic. The sensor in Milton stops half-way, the one in São Paulo is over its rate, the clock of the one in Perth
 * is wrong, and one client sends a wrong token, and another one has none.
 */
async function attackOnce(second: number): Promise<void> {
  const isMiltonAlive = second > 0 && second < minutes * 30;
  for (const sensor of isMiltonAlive ? [...sensors, "milton-01"] : sensors)
    if (Math.random() < chanceToSend(sensor))
      await send(loom.ingestUrl, madeUpBatch(sensor), { token: tokenOf(sensor) });
  for (let i = 0; i < 8; i++)
    await send(loom.ingestUrl, madeUpBatch("saopaulo-01"), { token: tokenOf("saopaulo-01") });
  const hoursAgo = new Date(Date.now() - 3 * 3_600_000).toISOString();
  if (second % 5 === 1)
    await send(loom.ingestUrl, `[{"@timestamp":"${hoursAgo}"}]`, { token: tokenOf("perth-01") });
  if (second % 3 === 1) await send(loom.ingestUrl, "<script>", { token: "guessed" });
  if (second % 15 === 3)
    await send(loom.ingestUrl, "[]", { token: "an-old-token", headers: { "x-spip-id": "milan-01" } });
  if (second % 40 === 7) await send(loom.ingestUrl, "[{}", { token: tokenOf("lagos-01") });
}
