import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseUpdate } from "../../../server/config/config.ts";
import { DatabaseUpdates } from "../../../server/enrich/update/database-updates.ts";
import { hashOfUrl, prepareOrigin } from "../../../server/enrich/update/stored-origin.ts";
import type { UpdateOptions, UpdateOutcome } from "../../../server/enrich/update/update-database.ts";
import { UpdateError } from "../../../server/enrich/update/update-error.ts";
import { recordingLog } from "../../support/log.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { until } from "../../support/until.ts";

const hour = 3_600_000;
const builtAt = Date.UTC(2026, 0, 1);
const source = { kind: "url", url: "https://a.example/city.mmdb?token=hunter2" } as const;
const updated: UpdateOutcome = { kind: "updated", type: "GeoLite2-City", builtAt };

let folder: string;
let path: string;
let running: DatabaseUpdates | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-updates-"));
  path = join(folder, "city.mmdb");
});

afterEach(async () => {
  await running?.stop();
  rmSync(folder, { recursive: true });
});

type Attempt = (options: UpdateOptions) => Promise<UpdateOutcome>;

/** Updates of one database, whose attempts end as the list says; further ones do not end until they are stopped. */
function start(attempts: readonly (UpdateOutcome | Error)[], databases?: readonly DatabaseUpdate[]) {
  const clock = createManualClock();
  clock.chance = 0;
  const log = recordingLog();
  const state = { attempts: 0, reloads: 0 };
  const update: Attempt = async ({ signal }) => {
    const result = attempts[state.attempts++];
    if (result instanceof Error) throw result;
    if (result) return result;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    throw new UpdateError("the update was stopped");
  };
  const updates = new DatabaseUpdates({
    config: {
      databases: databases ?? [{ role: "geoip", path, source }],
      intervalMs: 24 * hour,
      maxmindUrl: "https://maxmind.example",
      dbipUrl: "https://dbip.example",
      maxmindAccount: undefined,
    },
    log,
    onUpdated: async () => void state.reloads++,
    now: clock.now,
    wait: clock.sleep,
    random: clock.random,
    update,
  });
  updates.start();
  running = updates;
  const report = () => {
    const [first] = updates.reports();
    if (!first) throw new Error("there is no report");
    return first;
  };
  return { clock, log, state, updates, report };
}

describe("a database that is missing", () => {
  test("is downloaded at once, and then checked after the interval", async () => {
    const { clock, state, report } = start([updated, { ...updated, kind: "current" }]);
    expect(await clock.toNextWaking()).toBe(0);
    expect(await clock.toNextWaking()).toBe(24 * hour);
    await until("the second check", () => report().checks.current === 1);
    expect(state.reloads).toBe(1);
  });

  test("is logged when it is downloaded, without the query of its URL", async () => {
    const { clock, log } = start([updated]);
    await clock.toNextWaking();
    await until("a line", () => log.lines.length > 0);
    expect(log.lines).toEqual([
      {
        level: "info",
        message: "database downloaded",
        fields: {
          role: "geoip",
          source: "https://a.example/city.mmdb",
          path,
          type: "GeoLite2-City",
          build_time: "2026-01-01T00:00:00.000Z",
        },
      },
    ]);
  });
});

describe("a database that was checked 10 hours before the start", () => {
  const checkedAt = 1_000_000 - 10 * hour;

  async function storeFrom(url: string): Promise<void> {
    writeFileSync(path, "x");
    const origin = { etag: undefined, lastModified: undefined, type: "x", builtAt, checkedAt };
    await using file = await prepareOrigin(path, path, { ...origin, urlHash: hashOfUrl(url) });
    await file.replaceTarget();
  }

  test("is checked after the rest of the interval", async () => {
    await storeFrom(source.url);
    const { clock, report } = start([]);
    expect(await clock.toNextWaking()).toBe(14 * hour);
    expect(report().succeededAt).toBe(checkedAt);
  });

  test("is checked at once if its source was changed", async () => {
    await storeFrom("https://a.example/other.mmdb");
    const { clock, report } = start([]);
    expect(await clock.toNextWaking()).toBe(0);
    expect(report().succeededAt).toBeUndefined();
  });
});

describe("a failure", () => {
  const failure = new UpdateError("the server answered 503");

  test("is tried again after a growing wait, which a success ends", async () => {
    const { clock } = start([failure, failure, failure, updated, failure]);
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) waits.push(await clock.toNextWaking());
    expect(waits).toEqual([0, 30_000, 60_000, 120_000, 24 * hour, 30_000]);
  });

  test("is one line in the log that says when it is tried again", async () => {
    const { clock, log } = start([failure]);
    await clock.toNextWaking();
    await until("a line", () => log.lines.length > 0);
    expect(log.lines).toEqual([
      {
        level: "error",
        message: "cannot update a database; nothing is replaced, retrying in 30 s",
        fields: {
          role: "geoip",
          source: "https://a.example/city.mmdb",
          path,
          reason: "the server answered 503",
        },
      },
    ]);
  });

  test("is in the report until a success", async () => {
    const { clock, report } = start([failure, updated]);
    await clock.toNextWaking();
    await until("the failure", () => report().checks.failed === 1);
    expect(report().lastError).toEqual({ reason: "the server answered 503", at: clock.now() });
    await clock.toNextWaking();
    await until("the success", () => report().checks.updated === 1);
    expect(report()).toMatchObject({ lastError: undefined, succeededAt: clock.now() });
  });

  test("that is a defect does not end the checks", async () => {
    const { clock, report } = start([new TypeError("a defect"), updated]);
    await clock.toNextWaking();
    await clock.toNextWaking();
    await until("the success", () => report().checks.updated === 1);
    expect(report().checks.failed).toBe(1);
  });

  test("of a server that asks to wait is tried again after that", async () => {
    const { clock } = start([new UpdateError("the server answered 429", { retryAfterMs: hour })]);
    await clock.toNextWaking();
    expect(await clock.toNextWaking()).toBe(hour);
  });
});

test("an older database is a warning, and the present one is not loaded again", async () => {
  const { clock, log, state } = start([{ ...updated, kind: "older" }]);
  await clock.toNextWaking();
  await until("a line", () => log.lines.length > 0);
  expect(log.lines[0]).toMatchObject({
    level: "warn",
    message: "the server has an older database; the present one stays in use",
  });
  expect(state.reloads).toBe(0);
});

test("two databases are downloaded one after the other", async () => {
  const source = { kind: "dbip", edition: "asn-lite" } as const;
  const { clock, state, updates } = start(
    [],
    [
      { role: "geoip", path, source },
      { role: "asn", path: join(folder, "asn.mmdb"), source },
    ],
  );
  await until("both wait", () => clock.sleptMs.length === 2);
  clock.advance(0);
  await until("both are due", () => updates.reports().every(({ nextAt }) => nextAt === undefined));
  await until("the first one", () => state.attempts === 1);
  expect(state.attempts).toBe(1);
});

test("a stop ends a download that is running, and logs nothing", async () => {
  const { clock, log, state, updates } = start([]);
  await clock.toNextWaking();
  await until("the download", () => state.attempts === 1);
  await updates.stop();
  expect(log.lines).toEqual([]);
});

test("a stop ends the wait", async () => {
  const { clock, updates } = start([updated]);
  await clock.toNextWaking();
  await until("the next wait", () => clock.sleptMs.length === 2);
  await updates.stop();
  expect(updates.reports()[0]?.checks.updated).toBe(1);
});

test("without databases there is nothing to wait for", async () => {
  const { updates } = start([], []);
  await updates.stop();
  expect(updates.reports()).toEqual([]);
});
