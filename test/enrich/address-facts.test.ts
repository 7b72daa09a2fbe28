import { describe, expect, test } from "bun:test";
import { AddressFactsCache } from "../../server/enrich/address-facts.ts";
import { readFacts } from "../../server/enrich/database-layouts.ts";
import { Answer, miss, RecordAnswers, skipped } from "../../server/enrich/record-answers.ts";
import { createRandom } from "../support/random.ts";

/** A database with a record at every offset, which names its offset and how often it was read. */
function readerOf() {
  const reads = new Map<number, number>();
  return {
    reads,
    find: ([high = 0, low = 0]: readonly number[]) => high * 0x1_0000 + low,
    readRecord(offset: number) {
      const times = (reads.get(offset) ?? 0) + 1;
      reads.set(offset, times);
      return readFacts(
        { autonomous_system_number: offset, autonomous_system_organization: `${times}` },
        "Test",
      );
    },
  };
}

function addressOf(offset: number): readonly number[] {
  return [offset >>> 16, offset & 0xffff];
}

describe("the answers of a database", () => {
  test("are read once for all addresses of a record", () => {
    const reader = readerOf();
    const answers = new RecordAnswers(reader, () => true);
    const first = answers.of(addressOf(7));
    expect(answers.of(addressOf(7))).toBe(first);
    expect(first).toMatchObject({ result: "hit", facts: { network: { asNumber: 7 } } });
    expect(reader.reads.get(7)).toBe(1);
  });

  test("are those of the record, however many other records were read before", () => {
    const reader = readerOf();
    const answers = new RecordAnswers(reader, () => true);
    const random = createRandom(1);
    for (let i = 0; i < 200_000; i++) {
      const offset = 1 + random.below(100_000);
      if (answers.of(addressOf(offset)).facts.network?.asNumber !== offset)
        throw new Error(`record ${offset}`);
    }
    expect(reader.reads.size).toBeGreaterThan(80_000);
  });

  test("are a miss without a record, and for a record without what the database is for", () => {
    const answers = new RecordAnswers(readerOf(), () => false);
    expect(answers.of(addressOf(0))).toBe(miss);
    expect(answers.of(addressOf(1)).result).toBe("miss");
  });
});

describe("the facts of an address", () => {
  const answer = (asNumber: number, recordOffset: number) =>
    new Answer({ network: { asNumber }, place: undefined }, "hit", recordOffset);

  test("are one object for all addresses with the same two records", () => {
    const cache = new AddressFactsCache();
    const [city, network] = [answer(1, 10), answer(2, 20)];
    const facts = cache.of(city, network, false, 0);
    expect(cache.of(city, network, false, 0)).toBe(facts);
    expect(facts.members).toBe(facts.members);
    expect(facts.members.toString()).toBe(',"as":{"number":2}');
  });

  test("are not those of other databases with records at the same offsets", () => {
    const cache = new AddressFactsCache();
    cache.of(answer(1, 10), answer(2, 20), false, 0);
    expect(cache.of(answer(3, 10), answer(4, 20), false, 0).network?.asNumber).toBe(4);
  });

  test("are evicted when a database is replaced", () => {
    const cache = new AddressFactsCache();
    const [city, network] = [answer(1, 10), answer(2, 20)];
    expect(cache.of(city, network, true, 0).network?.asNumber).toBe(1);
    expect(cache.of(city, network, false, 1).network?.asNumber).toBe(2);
  });

  test("are those of each of many pairs", () => {
    const cache = new AddressFactsCache();
    const random = createRandom(2);
    const answers = Array.from({ length: 1_000 }, (_, i) => answer(i, 100 + 7 * i));
    for (let i = 0; i < 100_000; i++) {
      const [city, network] = [random.pick(answers), random.pick(answers)];
      const facts = cache.of(city, network, false, 0);
      if (!facts.isOf(city, network)) throw new Error("the facts of another pair");
    }
    expect(cache.of(skipped, skipped, false, 0).members.length).toBe(0);
  });
});
