import type { ScannedEvent } from "../pipeline.ts";
import { add, type RuleMatches, type RuleTally } from "../telemetry/ledger.ts";
import type { KnownSource } from "./known-sources.ts";

/** The events of a batch that are not ignored, the source of each, and which rules applied to the batch. */
export interface RemainingEvents {
  readonly events: readonly ScannedEvent[];
  readonly sources: readonly KnownSource[];
  readonly matches: readonly RuleMatches[];
}

/** Removes the events whose rule has the action "drop". @param sources one for each event */
export function applyIgnoreRules(
  events: readonly ScannedEvent[],
  sources: readonly KnownSource[],
): RemainingEvents {
  // Most batches end here.
  if (!sources.some(({ rule }) => rule)) return { events, sources, matches: [] };
  const counts = new Map<RuleTally, number>();
  for (const { rule } of sources) if (rule) add(counts, rule.tally);
  const matches = Array.from(counts, ([tally, count]) => ({ tally, events: count }));
  if (!matches.some(({ tally }) => tally.action === "drop")) return { events, sources, matches };
  return {
    events: events.filter((_, i) => sources[i]?.rule?.action !== "drop"),
    sources: sources.filter(({ rule }) => rule?.action !== "drop"),
    matches,
  };
}
