import { expect, test } from "bun:test";
import {
  additionsOf,
  fieldsIn,
  membersToAppend,
  writeNetwork,
  writePlace,
} from "../../server/enrich/additions.ts";
import type { NetworkFacts, PlaceFacts } from "../../server/enrich/database-layouts.ts";
import { MemberBytes } from "../../server/enrich/member-bytes.ts";
import { createRandom, type Random } from "../support/random.ts";

const texts = [
  "Oslo",
  "Östergötland",
  'a"b\\c',
  "\u0000\u001f\u007f",
  "東京",
  "😀",
  "\ud800",
  "",
  "{",
  "x".repeat(256),
];

function maybe<Value>(random: Random, value: Value): Value | undefined {
  return random.below(3) === 0 ? undefined : value;
}

function randomFacts(random: Random): [NetworkFacts | undefined, PlaceFacts | undefined] {
  const text = () => maybe(random, random.pick(texts));
  const degrees = () => random.pick([-0, 0, 1e-7, -179.5, random.below(90_000) / 1_000]);
  const network = { asNumber: maybe(random, random.below(2 ** 32)), asOrganizationName: text() };
  const place = {
    ...{ continentCode: text(), continentName: text(), countryIsoCode: text(), countryName: text() },
    ...{ regionIsoCode: text(), regionName: text(), cityName: text(), postalCode: text(), timezone: text() },
    location: maybe(random, { lat: degrees(), lon: degrees() }),
  };
  return [maybe(random, network), maybe(random, place)];
}

test("the bytes to insert are the text of the additions, with the same fields", () => {
  const random = createRandom(20261125);
  const written = new MemberBytes();
  for (let i = 0; i < 5_000; i++) {
    const [network, place] = randomFacts(random);
    if (network) writeNetwork(network, written);
    if (place) writePlace(place, written);
    const { bytes: members, fields } = written.take();
    const additions = additionsOf(network, place);
    expect(members.toString()).toBe(membersToAppend(additions).toString());
    expect(fields).toBe(fieldsIn(additions));
  }
});

test("a text that is longer than the buffer is written as a whole", () => {
  const bytes = new MemberBytes();
  const cityName = "\u0001x".repeat(40_000);
  writePlace({ countryName: "Norway", cityName }, bytes);
  expect(JSON.parse(`{"ip":""${bytes.take().bytes}}`)).toEqual({
    ip: "",
    geo: { country_name: "Norway", city_name: cityName },
  });
});

test("facts without a value add nothing", () => {
  const bytes = new MemberBytes();
  writeNetwork({ asNumber: undefined, asOrganizationName: undefined }, bytes);
  writePlace({}, bytes);
  expect(bytes.take()).toEqual({ bytes: Buffer.alloc(0), fields: 0 });
});
