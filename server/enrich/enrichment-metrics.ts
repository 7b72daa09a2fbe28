import type { MetricRegistry, Sample } from "../telemetry/metric-registry.ts";
import type { DatabaseDescription } from "./databases.ts";
import type { EnrichmentCounts } from "./enricher.ts";
import type { ReverseDnsCounts } from "./reverse-dns.ts";
import type { UpdateReport } from "./update/database-updates.ts";

export interface EnrichmentMetricsSources {
  readonly enricher: { readonly counts: Pick<EnrichmentCounts, "lookups" | "cacheHits" | "cacheMisses"> };
  /** undefined: reverse DNS is off. */
  readonly reverseDns: { readonly counts: ReverseDnsCounts } | undefined;
  readonly databases: {
    describe(): readonly Pick<DatabaseDescription, "role" | "type" | "buildTime">[];
  };
  readonly updates: {
    reports(): readonly Pick<UpdateReport, "role" | "checks" | "succeededAt">[];
  };
}

/** Declares the metrics of enrichment. */
export function declareEnrichmentMetrics(
  metrics: MetricRegistry,
  { enricher, reverseDns, databases, updates }: EnrichmentMetricsSources,
): void {
  const { counts } = enricher;
  metrics.counter({
    name: "loom_enrichment_lookups_total",
    help: "Events by database and by the result of the lookup: hit, miss, skipped (no public source address, or no such database is configured), error (the database's record is damaged).",
    labels: ["database", "result"],
    *read() {
      for (const [database, results] of Object.entries(counts.lookups))
        for (const [result, value] of Object.entries(results)) yield [{ database, result }, value];
    },
  });
  metrics.counter({
    name: "loom_enrichment_cache_total",
    help: "Source addresses by the result of the lookup in the cache of enriched addresses: hit, miss.",
    labels: ["result"],
    read: () => byResult({ hit: counts.cacheHits, miss: counts.cacheMisses }),
  });
  metrics.counter({
    name: "loom_dns_questions_total",
    help: "Reverse DNS questions by result: found, not_found, failed, timed_out, unreachable.",
    labels: ["result"],
    read: () => byResult(reverseDns?.counts.questions ?? {}),
  });
  metrics.counter({
    name: "loom_dns_confirmations_total",
    help: "Questions for the addresses of a name that a known scanner would have, by result: confirmed, refuted (the name does not have the source address), unanswered.",
    labels: ["result"],
    read: () => byResult(reverseDns?.counts.confirmations ?? {}),
  });
  metrics.counter({
    name: "loom_dns_unasked_total",
    help: "Addresses for which no reverse DNS question was sent, by reason: cached, over_rate, resolver_away.",
    labels: ["result"],
    read: () => byResult(reverseDns?.counts.unasked ?? {}),
  });
  metrics.gauge({
    name: "loom_database_build_timestamp_seconds",
    help: "Unix time at which the loaded database was built; of several with the same labels, the oldest one.",
    labels: ["database", "type"],
    read: () => oldestFirst(databases.describe()),
  });
  declareUpdateMetrics(metrics, updates);
}

function declareUpdateMetrics(metrics: MetricRegistry, updates: EnrichmentMetricsSources["updates"]): void {
  metrics.counter({
    name: "loom_geoip_update_checks_total",
    help: "Checks for a newer database, by database and result: updated, current, older (the server has an older one, which is not used), failed.",
    labels: ["database", "result"],
    *read() {
      for (const { role, checks } of updates.reports())
        for (const [result, value] of Object.entries(checks)) yield [{ database: role, result }, value];
    },
  });
  metrics.gauge({
    name: "loom_geoip_update_success_timestamp_seconds",
    help: "Unix time of the last check for a newer database that succeeded, by database.",
    labels: ["database"],
    *read() {
      for (const { role, succeededAt } of updates.reports())
        if (succeededAt !== undefined) yield [{ database: role }, succeededAt / 1000];
    },
  });
}

/** One sample for each role and type: a list may have two files of the same type, such as for IPv4 and IPv6. */
function* oldestFirst(
  databases: readonly Pick<DatabaseDescription, "role" | "type" | "buildTime">[],
): Generator<Sample<"database" | "type">> {
  const seen = new Set<string>();
  for (const { role, type, buildTime } of databases.toSorted((a, b) => +a.buildTime - +b.buildTime)) {
    if (seen.has(`${role} ${type}`)) continue;
    seen.add(`${role} ${type}`);
    yield [{ database: role, type }, buildTime.getTime() / 1000];
  }
}

function* byResult(counts: Readonly<Record<string, number>>): Generator<Sample<"result">> {
  for (const [name, value] of Object.entries(counts)) yield [{ result: snakeCase(name) }, value];
}

/** Label values are written as Prometheus does: "timedOut" is "timed_out". */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
