import { describe, expect, test } from "bun:test";
import { enrichedFields } from "../../../server/enrich/additions.ts";
import type { EnrichmentCounts } from "../../../server/enrich/enricher.ts";
import { IgnoreRules } from "../../../server/enrich/ignore-rules.ts";
import type { EnrichmentAnswer } from "../../../server/management/api/answers.ts";
import { createEnrichmentApi } from "../../../server/management/api/enrichment.ts";
import {
  createEnrichmentAnswers,
  type EnrichmentAnswersOptions,
} from "../../../server/management/api/enrichment-answers.ts";
import { startHistory } from "../../../server/monitoring/history/history.ts";
import { addKept, Ledger } from "../../../server/telemetry/ledger.ts";
import { parseConfig } from "../../config/parse.ts";
import { getJson } from "../../support/api.ts";
import { chronicleOf, createWoundClock } from "../../support/wound-clock.ts";

const day = 86_400_000;

function enrichment(options: Partial<EnrichmentAnswersOptions> = {}) {
  const clock = createWoundClock();
  const history = startHistory({ ledger: new Ledger(), chronicle: chronicleOf(clock) });
  const counts = {
    lookups: {
      geoip: { hit: 3, miss: 1, skipped: 2, error: 0 },
      asn: { hit: 0, miss: 0, skipped: 6, error: 0 },
    },
    cacheHits: 5,
    cacheMisses: 1,
    events: 0,
    fields: Object.fromEntries(enrichedFields.map((field) => [field, 0])) as Record<
      (typeof enrichedFields)[number],
      number
    >,
  } satisfies EnrichmentCounts;
  const geoip = {
    path: "/var/lib/loom/GeoLite2-City.mmdb",
    isBuiltin: false,
    role: "geoip" as const,
    type: "GeoLite2-City",
    buildTime: new Date(clock.now() - 31 * day),
    ipVersion: 6 as const,
    sizeBytes: 1000,
    nodeCount: 20,
    networkCount: 12,
  };
  const answers = createEnrichmentAnswers({
    databases: () => [geoip],
    updates: () => [],
    counts,
    dns: undefined,
    ignoreRules: () => [],
    history,
    now: clock.now,
    ...options,
  });
  const api = createEnrichmentApi({ enrichment: answers, monotonic: clock.monotonic });
  return { clock, counts, geoip, answers, get: () => getJson<EnrichmentAnswer>(api, "/api/v1/enrichment") };
}

describe("the answer", () => {
  test("has each database, its age, networks and lookups", async () => {
    const { get, geoip, clock } = enrichment();
    expect((await get()).databases).toEqual([
      {
        role: "geoip",
        type: "GeoLite2-City",
        path: geoip.path,
        source: null,
        builtAt: clock.now() - 31 * day,
        isOld: true,
        sizeBytes: 1000,
        ipVersion: 6,
        networks: 12,
        lookups: { hit: 3, miss: 1, skipped: 2, error: 0 },
      },
    ]);
  });

  test("has the share of events that got a field, in each 5 minutes", async () => {
    const { get, counts, clock } = enrichment();
    clock.advance(300_000);
    await get();
    counts.events += 8;
    counts.fields["source.geo.city_name"] += 6;
    clock.advance(300_000);
    const { fields } = await get();
    const city = fields.find(({ field }) => field === "source.geo.city_name");
    expect(city).toMatchObject({ hits: 6, events: 8 });
    expect(city?.history.values.slice(-3)).toEqual([null, null, 0.75]);
  });

  test("has cache, questions and answers", async () => {
    const dns = {
      questions: { found: 1, notFound: 2, failed: 3, timedOut: 4, unreachable: 5 },
      unasked: { cached: 6, overRate: 7, resolverAway: 8 },
    };
    const counts = { ...dns, confirmations: { confirmed: 9, refuted: 10, unanswered: 11 } };
    expect(await enrichment({ dns: counts }).get()).toMatchObject({ cache: { hits: 5, misses: 1 }, dns });
    expect((await enrichment().get()).dns).toBeNull();
  });
});

test("the answer has each ignore rule with its first networks and its count", async () => {
  const networks = Array.from({ length: 12 }, (_, i) => `192.0.2.${i}`);
  const rules = new IgnoreRules(
    parseConfig(
      `[[ignore]]\nname = "own"\nnetworks = ${JSON.stringify(networks)}\ntag = "ours"
      [[ignore]]\nname = "probes"\nnetworks = ["2001:db8::/32"]\naction = "drop"`,
      {},
    ).ignore,
    new Ledger(),
  );
  addKept(
    new Ledger().sensor("vps-1"),
    0,
    rules.rules.map(({ tally }, i) => ({ tally, events: i + 4 })),
  );
  const { ignoreRules } = await enrichment({ ignoreRules: () => rules.rules }).get();
  expect(ignoreRules).toEqual([
    {
      name: "own",
      action: "tag",
      tag: "ours",
      networks: networks.slice(0, 10),
      networkCount: 12,
      events: 4,
    },
    {
      name: "probes",
      action: "drop",
      tag: null,
      networks: ["2001:db8::/32"],
      networkCount: 1,
      events: 5,
    },
  ]);
});

describe("fields", () => {
  test("are those that the configuration can add", () => {
    const fields = enrichment().answers.fieldHits() ?? [];
    expect(fields).toHaveLength(10);
    expect(fields.every(({ field }) => field.startsWith("source.geo."))).toBe(true);
  });

  test("are shown if events got them, whatever the database is called", () => {
    const { answers, counts } = enrichment();
    counts.fields["source.as.number"] = 1;
    expect(answers.fieldHits()?.map(({ field }) => field)).toContain("source.as.number");
  });

  test("are only source.domain if only reverse DNS is on", () => {
    const dns = {
      questions: { found: 0, notFound: 0, failed: 0, timedOut: 0, unreachable: 0 },
      confirmations: { confirmed: 0, refuted: 0, unanswered: 0 },
      unasked: { cached: 0, overRate: 0, resolverAway: 0 },
    };
    const { answers } = enrichment({ databases: () => [], dns });
    expect(answers.fieldHits()).toEqual([{ field: "source.domain", hits: 0, events: 0 }]);
  });

  test("are null if nothing is configured", () => {
    expect(enrichment({ databases: () => [] }).answers.fieldHits()).toBeNull();
  });
});

test("the updates have their last success, next check and last error", async () => {
  const never = { succeededAt: undefined, nextAt: undefined, lastError: undefined };
  const checks = { updated: 0, current: 1, older: 0, failed: 1 };
  const failed = { succeededAt: 1, nextAt: 2, lastError: { reason: "the server answered 503", at: 3 } };
  const { get } = enrichment({
    updates: () => [
      { role: "geoip", source: "maxmind:GeoLite2-City", checks, ...failed },
      { role: "asn", source: "dbip:asn-lite", checks, ...never },
    ],
  });
  expect((await get()).updates).toEqual([
    { role: "geoip", source: "maxmind:GeoLite2-City", ...failed },
    { role: "asn", source: "dbip:asn-lite", succeededAt: null, nextAt: null, lastError: null },
  ]);
});

test("a database is old after 30 days", () => {
  const { answers, geoip } = enrichment();
  expect(answers.oldDatabases()).toBe(1);
  geoip.buildTime = new Date(geoip.buildTime.getTime() + 2 * day);
  expect(answers.oldDatabases()).toBe(0);
});

test("a built-in database names who made it, and is old after a year", async () => {
  const { get, geoip, answers, clock } = enrichment();
  const makers = "RouteViews, the NRO and DB-IP (https://db-ip.com), merged by ip-location-db, CC BY 4.0";
  expect(answers.hasBuiltinNetworks()).toBe(false);
  Object.assign(geoip, { role: "asn", path: "built in", isBuiltin: true });
  expect((await get()).databases).toMatchObject([{ path: "built in", source: makers, isOld: false }]);
  expect(answers.hasBuiltinNetworks()).toBe(true);
  geoip.buildTime = new Date(clock.now() - 366 * day);
  expect(answers.oldDatabases()).toBe(1);
});

test("the built-in database of places can add only countries and continents", async () => {
  const { get, geoip } = enrichment();
  geoip.isBuiltin = true;
  expect((await get()).fields.map(({ field }) => field)).toEqual([
    "source.geo.continent_code",
    "source.geo.continent_name",
    "source.geo.country_iso_code",
    "source.geo.country_name",
  ]);
});
