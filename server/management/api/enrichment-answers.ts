import type { EnrichedField } from "../../enrich/additions.ts";
import { builtinSourceOf } from "../../enrich/builtin/sources.ts";
import type { DatabaseDescription } from "../../enrich/databases.ts";
import type { EnrichmentCounts } from "../../enrich/enricher.ts";
import type { IgnoreRule } from "../../enrich/ignore-rules.ts";
import type { ReverseDnsCounts } from "../../enrich/reverse-dns.ts";
import type { UpdateReport } from "../../enrich/update/database-updates.ts";
import { shareOf } from "../../monitoring/history/counter-history.ts";
import type { History } from "../../monitoring/history/history.ts";
import type { EnrichmentAnswer, FieldHits } from "./answers.ts";

export interface EnrichmentAnswersOptions {
  readonly databases: () => readonly DatabaseDescription[];
  readonly updates: () => readonly UpdateReport[];
  readonly counts: EnrichmentCounts;
  /** undefined: reverse DNS is off. */
  readonly dns: ReverseDnsCounts | undefined;
  readonly ignoreRules: () => readonly IgnoreRule[];
  readonly history: Pick<History, "track">;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface EnrichmentAnswers {
  all(): EnrichmentAnswer;
  /** null: no database is configured and reverse DNS is off. */
  fieldHits(): readonly FieldHits[] | null;
  oldDatabases(): number;
  /** Whether the built-in database of networks is used. Its licence requires that pages name its makers. */
  hasBuiltinNetworks(): boolean;
}

/** A rule may have thousands of networks. */
const maxShownNetworks = 10;
const dayMs = 86_400_000;
/** Providers publish new databases every week or month, because networks move. */
const oldAfterMs = 30 * dayMs;
/** A built-in database is replaced with the executable; it has only countries or AS numbers, which change less often. */
const builtinOldAfterMs = 365 * dayMs;

/** To be called at the start: the history of each field begins here. */
export function createEnrichmentAnswers(options: EnrichmentAnswersOptions): EnrichmentAnswers {
  const { databases, updates, counts, dns, ignoreRules, history, now = Date.now } = options;
  const enrichedFields = Object.keys(counts.fields) as EnrichedField[];
  const events = history.track("enriched events", () => counts.events);
  const historyOf = new Map(
    enrichedFields.map((field) => [field, history.track(field, () => counts.fields[field])]),
  );

  /** The fields that the present configuration can add, and those that were added already. */
  function shownFields(): EnrichedField[] {
    const roles = new Set(databases().map(({ role }) => role));
    const hasOnlyCountries = databases().every(({ role, isBuiltin }) => role !== "geoip" || isBuiltin);
    const isInCountries = (field: EnrichedField) => /^source\.geo\.(country|continent)_/.test(field);
    const hits = counts.fields;
    return enrichedFields.filter(
      (field) =>
        hits[field] > 0 ||
        (field.startsWith("source.geo.") &&
          roles.has("geoip") &&
          (!hasOnlyCountries || isInCountries(field))) ||
        (field.startsWith("source.as.") && roles.has("asn")) ||
        (field === "source.domain" && dns !== undefined),
    );
  }

  function hitsOf(field: EnrichedField): FieldHits {
    return { field, hits: counts.fields[field], events: counts.events };
  }

  const isOld = ({ buildTime, isBuiltin }: DatabaseDescription) =>
    now() - buildTime.getTime() > (isBuiltin ? builtinOldAfterMs : oldAfterMs);

  return {
    all() {
      const eventHistory = events.lastDay();
      return {
        now: now(),
        databases: databases().map((database) => ({
          role: database.role,
          type: database.type,
          path: database.path,
          source: database.isBuiltin ? builtinSourceOf(database.role).description : null,
          builtAt: database.buildTime.getTime(),
          isOld: isOld(database),
          sizeBytes: database.sizeBytes,
          ipVersion: database.ipVersion,
          networks: database.networkCount,
          lookups: { ...counts.lookups[database.role] },
        })),
        fields: shownFields().map((field) => ({
          ...hitsOf(field),
          history: shareOf(historyOf.get(field)?.lastDay() ?? eventHistory, eventHistory),
        })),
        updates: updates().map(({ role, source, succeededAt = null, nextAt = null, lastError = null }) => ({
          role,
          source,
          succeededAt,
          nextAt,
          lastError,
        })),
        cache: { hits: counts.cacheHits, misses: counts.cacheMisses },
        dns: dns ? { questions: { ...dns.questions }, unasked: { ...dns.unasked } } : null,
        ignoreRules: ignoreRules().map(({ name, action, tag, networks, tally }) => ({
          name,
          action,
          tag: action === "tag" ? tag : null,
          networks: networks.slice(0, maxShownNetworks).map(({ text }) => text),
          networkCount: networks.length,
          events: tally.events,
        })),
      };
    },
    fieldHits: () => (databases().length === 0 && !dns ? null : shownFields().map(hitsOf)),
    hasBuiltinNetworks: () => databases().some(({ role, isBuiltin }) => isBuiltin && role === "asn"),
    oldDatabases: () => databases().filter(isOld).length,
  };
}
