import { describe, expect, test } from "bun:test";
import { addressKey, addressOfKey } from "../../../server/address-key.ts";
import { Dictionary, decodeDictionary, encodeDictionary } from "../../../server/store/column-codec.ts";
import { NumberTable } from "../../../server/store/search/number-table.ts";
import { ValueCounts } from "../../../server/store/search/value-counts.ts";
import { createRandom } from "../../support/random.ts";

const limits = { numbers: 1_000, texts: 1_000, characters: 100_000 };

test("a table of numbers counts as a map does", () => {
  const random = createRandom(1);
  const table = new NumberTable();
  const counts = new Map<number, number>();
  for (let i = 0; i < 30_000; i++) {
    const key = random.pick([
      random.below(9_000),
      2 ** 31 + random.below(9_000),
      2 ** 40 * random.below(50),
      -1,
      0.5,
    ]);
    const events = 1 + random.below(5);
    table.add(key, events);
    counts.set(key, (counts.get(key) ?? 0) + events);
  }
  expect(new Map(table)).toEqual(counts);
  table.removeBelow(5);
  expect(new Map(table)).toEqual(new Map([...counts].filter(([, events]) => events >= 5)));
  expect(table.size).toBe([...table].length);
});

describe.each([
  ["numbers", "number", (i: number) => i * 3],
  ["texts", "text", (i: number) => `text ${i}`],
  ["IPv4 addresses", "address", (i: number) => addressKey(`10.0.${i >> 8}.${i & 255}`) ?? ""],
  ["IPv6 addresses", "address", (i: number) => addressKey(`2001:db8::${i.toString(16)}`) ?? ""],
] as const)("of %s", (_, kind, valueAt) => {
  const shown = (value: string | number) => (kind === "address" ? addressOfKey(String(value)) : value);

  test("as many as are counted have exact counts, those with the same count in ascending order", () => {
    const counts = new ValueCounts(kind, limits);
    for (let i = 999; i >= 0; i--) counts.add(valueAt(i), 1 + (i % 3));
    const { values, others, distinct } = counts.top(4);
    const frequent = Array.from({ length: 333 }, (_, i) => valueAt(2 + i * 3));
    frequent.sort((a, b) => (a < b ? -1 : 1));
    expect(values).toEqual(frequent.slice(0, 4).map((value) => ({ value: shown(value), events: 3 })));
    expect(others).toBe(999 * 2 + 1 - 12);
    expect(distinct).toBe(1_000);
  });

  test("the frequent ones are found among more than are counted, and all events are in the answer", () => {
    const counts = new ValueCounts(kind, limits);
    let total = 0;
    for (let i = 0; i < 20_000; i++) {
      counts.add(valueAt(i), 1);
      counts.add(valueAt(50_000 + (i % 5)), 2);
      total += 3;
    }
    const { values, others, distinct } = counts.top(5);
    expect(values.map(({ value }) => value).sort()).toEqual(
      Array.from({ length: 5 }, (_, i) => shown(valueAt(50_000 + i))).sort(),
    );
    expect(values.every(({ events }) => events === 8_000)).toBe(true);
    expect(others).toBe(total - 5 * 8_000);
    expect(distinct).toBeUndefined();
  });
});

test("long texts are bounded by their characters", () => {
  const counts = new ValueCounts("text", limits);
  for (let i = 0; i < 900; i++) counts.add(`${i}`.padStart(200, "x"), 1);
  expect(counts.top(1)).toMatchObject({ distinct: undefined, others: 899 });
});

test("addresses of a stored dictionary are counted with both families", () => {
  const addresses = ["0.0.0.0", "9.9.9.9", "255.255.255.255", "::1", "2001:db8::1"];
  const keys = addresses.map((address) => addressKey(address) ?? "").sort();
  const stored = new Dictionary("address", keys, Uint32Array.of(1, 2, 3, 4, 5));
  const counts = new ValueCounts("address");
  const dictionary = decodeDictionary("address", encodeDictionary(stored));
  counts.addAll(dictionary, dictionary.counts);
  counts.addAll(stored, stored.counts);
  expect(counts.top(9).values).toEqual(
    keys.map((key, i) => ({ value: addressOfKey(key), events: 2 * (i + 1) })).toReversed(),
  );
});
