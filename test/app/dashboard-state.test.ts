import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStateDatabase } from "../../server/monitoring/saved-state/state-database.ts";
import {
  maxTestMs,
  plainConfig,
  type RunningLoom,
  sensorEnvironment,
  startExecutable,
} from "../support/executable.ts";
import { dashboardOf } from "../support/saved-dashboard.ts";
import { send } from "../support/send.ts";
import { canMountSmallDisks, fillDisk, mountSmallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";
import { adminToken } from "../support/view.ts";

setDefaultTimeout(maxTestMs);

interface Folder extends Disposable {
  readonly path: string;
  readonly file: string;
}

function stateFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "loom-state-"));
  return {
    path,
    file: join(path, "dashboard.db"),
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}

const start = (stateDir: string, config = "") =>
  startExecutable({
    config: `${plainConfig}\n${config}\n[dashboard]\nstate_dir = ${JSON.stringify(stateDir)}\n`,
    environment: { ...sensorEnvironment, LOOM_ADMIN_TOKEN: adminToken },
  });

async function stop(loom: RunningLoom): Promise<void> {
  loom.signal("SIGTERM");
  expect(await loom.exited).toBe(0);
}

const batch = '[{"destination":{"port":2222}},{"destination":{"port":22}}]';

test("after a stop with SIGTERM, everything that the dashboard knows is there again", async () => {
  using folder = stateFolder();
  await using first = await start(folder.path);
  for (let i = 0; i < 3; i++) expect(await send(first.ingestUrl, batch)).toBe(204);
  expect(await send(first.ingestUrl, "[1]")).toBe(400);
  expect((await fetch(new URL("/wp-login.php", first.ingestUrl))).status).toBe(404);
  const before = await (await dashboardOf(first)).sensor();
  await stop(first);

  await using second = await start(folder.path);
  const dashboard = await dashboardOf(second);
  const sensor = await dashboard.sensor();
  expect(sensor).toMatchObject({
    firstBatchAt: before.firstBatchAt,
    lastBatchAt: before.lastBatchAt,
    keptEvents: 0,
    totals: {
      keptEvents: 6,
      keptBatches: 3,
      bodyBytes: before.bodyBytes,
      refusedRequests: { invalid_request: 1 },
    },
    lastRefusal: before.lastRefusal,
  });
  const { totals, refusals } = await dashboard.overview();
  expect(totals).toMatchObject({ keptEvents: 6, refusedRequests: 2, isSaved: true });
  expect(refusals.own).toMatchObject({ requests: 1, events: 1, isEstimate: true });
  expect(refusals.strangers).toMatchObject({ requests: 1, events: 0 });
  const attacks = await dashboard.attacks("24h");
  expect(attacks).toMatchObject({ kept: 6, examined: 6, isWhole: false });
  expect(attacks.ports.entries.map(({ key, count }) => [key, count])).toEqual([
    ["2222", 3],
    ["22", 3],
  ]);
  const detail = await dashboard.detail();
  expect(detail.top.ports.entries).toHaveLength(2);
  expect(detail.refusals).toMatchObject([{ reason: "invalid_request", count: 1 }]);
  for (const { pauses } of [detail.history, detail.month, detail.year, attacks])
    expect(pauses).toEqual([{ fromAt: expect.any(Number), toAt: expect.any(Number) }]);
});

test("after a kill, the sensor that sent a batch before the last save is known, with the times of its batches", async () => {
  using folder = stateFolder();
  await using first = await start(folder.path);
  expect(await send(first.ingestUrl, batch)).toBe(204);
  const before = await (await dashboardOf(first)).sensor();
  const written = sizeAndTime(folder.file);
  await until("the state is saved", () => sizeAndTime(folder.file) !== written);
  first.signal("SIGKILL");
  await first.exited;

  await using second = await start(folder.path);
  const dashboard = await dashboardOf(second);
  expect(await dashboard.sensor()).toMatchObject({
    firstBatchAt: before.firstBatchAt,
    lastBatchAt: before.lastBatchAt,
    state: "reporting",
    note: expect.stringMatching(/^no batch since Loom was restarted .* ago, usual gap not known yet$/),
    totals: { keptEvents: 2 },
  });
  expect((await dashboard.overview()).events.history.pauses).toHaveLength(1);
});

/** Changes the file as if Loom had run for so much longer before it stopped, without another batch. */
function runLonger(file: string, ms: number): void {
  const { database, entries } = openStateDatabase(file);
  const [kind, key, json] = entries.find(([kind]) => kind === "chronicle") ?? ["", "", "{}"];
  const chronicle = JSON.parse(json);
  chronicle.elapsedMs += ms;
  database.write([{ kind, key, json: JSON.stringify(chronicle) }], []);
  database.close();
}

test("a sensor that died before a restart is silent since its last batch", async () => {
  using folder = stateFolder();
  await using first = await start(folder.path);
  expect(await send(first.ingestUrl, batch)).toBe(204);
  const { lastBatchAt } = await (await dashboardOf(first)).sensor();
  await stop(first);
  runLonger(folder.file, 3 * 86_400_000);

  await using second = await start(folder.path);
  const dashboard = await dashboardOf(second);
  expect(await dashboard.sensor()).toMatchObject({
    lastBatchAt,
    state: "silent",
    note: expect.stringMatching(/^last batch 3 d ago, /),
  });
  expect((await dashboard.overview()).sensors).toMatchObject({ silent: 1, never_seen: 0 });
});

function sizeAndTime(file: string): string {
  return [file, `${file}-wal`]
    .map((path) => statSync(path, { throwIfNoEntry: false }))
    .map((stats) => `${stats?.size} ${stats?.mtimeMs}`)
    .join();
}

test("the metrics begin at 0 after a restart", async () => {
  using folder = stateFolder();
  await using first = await start(folder.path);
  expect(await send(first.ingestUrl, batch)).toBe(204);
  await stop(first);
  await using second = await start(folder.path);
  const metrics = await (await fetch(`${second.managementUrl}/metrics`)).text();
  expect(metrics).not.toMatch(/^loom_ingest_events_total\{.*\} [1-9]/m);
});

test("a file that Loom did not write is renamed, and a new one begins", async () => {
  using folder = stateFolder();
  writeFileSync(folder.file, "not a database, but longer than the header of one".repeat(100));
  await using loom = await start(folder.path);
  await loom.logged(
    "the file of the dashboard's state cannot be used; it was renamed, and a new one begins",
    {
      renamed_to: `${folder.file}.damaged`,
    },
  );
  expect(readFileSync(`${folder.file}.damaged`, "utf8")).toStartWith("not a database");
  expect((await (await dashboardOf(loom)).overview()).totals.isSaved).toBe(true);
});

test("the second of two Looms with the same file starts, and stores nothing", async () => {
  using folder = stateFolder();
  await using first = await start(folder.path);
  await using second = await start(folder.path);
  await second.logged(
    "cannot use the file of the dashboard's state; what the dashboard knows is lost when Loom stops",
    { reason: "another Loom uses it", level: "warn" },
  );
  expect((await (await dashboardOf(second)).overview()).totals.isSaved).toBe(false);
  expect((await (await dashboardOf(first)).overview()).totals.isSaved).toBe(true);
});

test("a directory that cannot be used is logged once, and Loom starts", async () => {
  using folder = stateFolder();
  const path = join(folder.path, "file");
  writeFileSync(path, "");
  await using loom = await start(join(path, "state"));
  expect(loom.stderrText().match(/cannot use the file of the dashboard's state.*ENOTDIR/g)).toHaveLength(1);
  expect(await send(loom.ingestUrl, batch)).toBe(204);
});

test("the file is readable only for Loom's user, in a directory that Loom creates", async () => {
  using folder = stateFolder();
  const dir = join(folder.path, "new", "state");
  await using loom = await start(dir);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  expect(statSync(join(dir, "dashboard.db")).mode & 0o777).toBe(0o600);
  await stop(loom);
});

test("without state_dir, the file is in the directory of the outbox", async () => {
  using folder = stateFolder();
  await using loom = await startExecutable({
    config: `${plainConfig}
[output]
type = "elasticsearch"
elasticsearch_url = "http://127.0.0.1:9"
[output.outbox]
dir = ${JSON.stringify(folder.path)}
`,
  });
  expect(existsSync(folder.file)).toBe(true);
  await stop(loom);
});

test("without state_dir and without a directory for it, nothing is stored, and one line says so", async () => {
  using folder = stateFolder();
  await using loom = await startExecutable({
    config: `${plainConfig}\n[output.outbox]\ndir = ${JSON.stringify(join(folder.path, "absent", "outbox"))}\n`,
  });
  await loom.logged(
    "what the dashboard knows is not stored, and is lost when Loom stops; set dashboard.state_dir to store it",
    { level: "info", dir: join(folder.path, "absent") },
  );
});

test('with state_dir = "none", nothing is stored', async () => {
  await using loom = await start("none");
  expect((await (await dashboardOf(loom)).overview()).totals.isSaved).toBe(false);
  expect(existsSync(join(loom.folder, "none"))).toBe(false);
});

test.skipIf(!canMountSmallDisks())(
  "while the disk is full, Loom accepts batches and logs one line; what could not be saved is saved later",
  async () => {
    using disk = mountSmallDisk(1024 * 1024);
    await using first = await start(disk.folder);
    const filler = fillDisk(disk.folder);
    expect(await send(first.ingestUrl, batch)).toBe(204);
    const [line] = await first.logged("cannot save the dashboard's state; trying again every 5 s");
    expect(line?.reason).toMatch(/full|disk I\/O error/);
    expect(await send(first.ingestUrl, batch)).toBe(204);
    rmSync(filler);
    await first.logged("the dashboard's state is saved again");
    expect(first.stderrText().match(/cannot save the dashboard's state/g)).toHaveLength(1);
    await stop(first);
    await using second = await start(disk.folder);
    expect((await (await dashboardOf(second)).sensor()).totals.keptEvents).toBe(4);
  },
);

test.skipIf(!canMountSmallDisks())("a read-only directory is logged once, and Loom starts", async () => {
  using disk = mountSmallDisk(1024 * 1024);
  expect(Bun.spawnSync(["mount", "-o", "remount,ro", disk.folder]).success).toBe(true);
  await using loom = await start(disk.folder);
  expect(loom.stderrText().match(/cannot use the file of the dashboard's state.*EROFS/g)).toHaveLength(1);
  expect(await send(loom.ingestUrl, batch)).toBe(204);
});
