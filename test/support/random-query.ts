import { networkKeys } from "../../server/address-key.ts";
import { type ColumnName, columnNames, columns } from "../../server/event/columns.ts";
import { parseNetwork } from "../../server/network.ts";
import type { ColumnTerm, Query, TextTerm, ValuePattern } from "../../server/query/query.ts";
import { escapeWildcards } from "../../server/query/wildcard.ts";
import type { Random } from "./random.ts";
import type { VariedEvent } from "./varied-events.ts";

const networks = [
  "185.220.0.0/16",
  "10.1.0.0/24",
  "0.0.0.0/0",
  "::/0",
  "2001:db8::/32",
  "1.2.3.0/28",
  "9.0.0.0/8",
];

/** A query of any kind, of which most match some of the events. */
export function randomQuery(random: Random, events: readonly VariedEvent[]): Query {
  const terms = Array.from({ length: random.below(4) }, () =>
    random.below(3) === 0 ? textTerm(random, events) : columnTerm(random, events),
  );
  const bound = () => (random.below(3) === 0 ? random.pick(events).receivedAt : undefined);
  const [a, b] = [bound(), bound()];
  const isReversed = a !== undefined && b !== undefined && a > b;
  return { terms, since: isReversed ? b : a, until: isReversed ? a : b };
}

function textTerm(random: Random, events: readonly VariedEvent[]): TextTerm {
  const { text } = random.pick(events);
  const parts = [...text.replaceAll("\0", "")];
  const start = random.below(parts.length || 1);
  const piece = parts.slice(start, start + 1 + random.below(10)).join("");
  const found = random.below(10) === 0 || !text.includes(piece) ? "absent text" : piece;
  return { kind: "text", isExcluded: random.below(5) === 0, text: found || "absent text" };
}

function columnTerm(random: Random, events: readonly VariedEvent[]): ColumnTerm {
  const column = random.pick(columnNames);
  const values = Array.from({ length: 1 + random.below(3) }, () => patternOf(random, column, events));
  return { kind: "column", column, isExcluded: random.below(4) === 0, values };
}

function patternOf(random: Random, column: ColumnName, events: readonly VariedEvent[]): ValuePattern {
  const { kind } = columns[column];
  const fallback = kind === "number" ? 22 : "x";
  const whole = random.pick(events).values[column] ?? fallback;
  const value = column === "tags" ? random.pick(String(whole).split("\n")) : whole;
  if (typeof value === "number")
    return random.below(2) === 0
      ? { kind: "exact", value }
      : { kind: "range", min: value - random.below(100), max: value + random.below(30_000) };
  if (kind === "address") return random.below(3) === 0 ? { kind: "exact", value } : networkOf(random);
  const cut = random.below(value.length + 1);
  return random.pick<ValuePattern>([
    { kind: "exact", value },
    { kind: "wildcard", pattern: `${escapeWildcards(value.slice(0, cut).toWellFormed())}*` },
    { kind: "wildcard", pattern: `*${escapeWildcards(value.slice(cut).toWellFormed())}` },
    { kind: "wildcard", pattern: `?${escapeWildcards([...value].slice(1).join(""))}` },
  ]);
}

function networkOf(random: Random): ValuePattern {
  const network = parseNetwork(random.pick(networks));
  if (network.kind === "refused") throw new Error(network.refusal);
  return { kind: "network", ...networkKeys(network.value) };
}
