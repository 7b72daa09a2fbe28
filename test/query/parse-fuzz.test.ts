import { expect, test } from "bun:test";
import { completionAt } from "../../server/query/complete-query.ts";
import { formatQuery } from "../../server/query/format-query.ts";
import { maxQueryLength, parseQuery } from "../../server/query/parse-query.ts";
import { queryNames } from "../../server/query/query-fields.ts";
import { createRandom, type Random } from "../support/random.ts";
import { now } from "./queries.ts";

const rounds = Number(process.env.LOOM_FUZZ_ROUNDS ?? 20_000);
const firstSeed = Number(process.env.LOOM_FUZZ_SEED ?? 1);

const pieces = [
  ...queryNames.map((name) => `${name}:`),
  ...'-|NOT |AND |OR |,|*|?|"|\\|/|:|.| |  |\t|>|<|>=|22|1-5|65535|AS1|CN|::|fe80::1|10.0.0.1|10.0.0.0/8|10.*'.split(
    "|",
  ),
  ...'\\"|\\n|\\x4|\\u0000|\\ud800|\\q|""|"a b"|24h|7d|2026-11-20|T10:00|+02:00|9999-12-31T23:59-12:00'.split(
    "|",
  ),
  ...["é", "😀", "\ud800", "\udc00", "\0", "\u202e", "Σ", "İ", "http://", "\u00a0", "a", "Z"],
];

function soup(random: Random): string {
  return Array.from({ length: random.below(24) }, () => random.pick(pieces)).join("");
}

function noise(random: Random): string {
  const limit = random.pick([0x80, 0x100, 0x10000]);
  return String.fromCharCode(...Array.from({ length: random.below(60) }, () => random.below(limit)));
}

test("whatever is typed is parsed or refused, and what is parsed is written so that it is parsed as the same", () => {
  let accepted = 0;
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    const random = createRandom(seed);
    const text = random.below(4) === 0 ? noise(random) : soup(random);
    const result = parseQuery(text, { now });
    if (result.kind === "refused") {
      const { start, length, message } = result.refusal;
      expect({ seed, isWithin: start >= 0 && length >= 0 && start + length <= text.length }).toEqual({
        seed,
        isWithin: true,
      });
      expect(message).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      continue;
    }
    accepted++;
    const written = formatQuery(result.value);
    expect(written).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    if (written.length <= maxQueryLength)
      expect({ seed, text, ...parseQuery(written, { now: 0 }) }).toEqual({ seed, text, ...result });
  }
  expect(accepted).toBeGreaterThan(rounds / 20);
});

test("a completion replaces a part of what is typed, wherever the cursor is", () => {
  for (let seed = firstSeed; seed < firstSeed + rounds / 10; seed++) {
    const text = soup(createRandom(seed));
    for (let cursor = 0; cursor <= text.length; cursor++) {
      const { start = cursor, end = cursor } = completionAt(text, cursor) ?? {};
      const isAround = start >= 0 && start <= cursor && cursor <= end && end <= text.length;
      expect({ seed, cursor, isAround }).toEqual({ seed, cursor, isAround: true });
    }
  }
});
