import { describe, expect, test } from "bun:test";
import {
  type Addition,
  additionsOf,
  domainAddition,
  membersToAppend,
} from "../../server/enrich/additions.ts";
import { mergeObject } from "../../server/enrich/object-merge.ts";

const additions: readonly Addition[] = [
  ...additionsOf(
    { asNumber: 64496, asOrganizationName: 'Net "A"' },
    { countryIsoCode: "SE", cityName: "Linköping", location: { lat: 58.4167, lon: 15.6167 } },
  ),
  domainAddition("host.example.com"),
];
const as = '"as":{"number":64496,"organization":{"name":"Net \\"A\\""}}';
const geo =
  '"geo":{"country_iso_code":"SE","city_name":"Linköping","location":{"lat":58.4167,"lon":15.6167}}';
const domain = '"domain":"host.example.com"';

function merged(source: string, added = additions): string {
  const bytes = Buffer.from(source);
  return mergeObject(bytes, 0, bytes.length, added).toString();
}

describe("what is appended", () => {
  test("has the shape of ECS, a fixed order, and escaped strings", () => {
    expect(membersToAppend(additions).toString()).toBe(`,${as},${geo},${domain}`);
  });

  test("has only known fields", () => {
    expect(
      membersToAppend(additionsOf({ asNumber: 1, asOrganizationName: undefined }, undefined)).toString(),
    ).toBe(',"as":{"number":1}');
    expect(membersToAppend(additionsOf(undefined, undefined)).toString()).toBe("");
  });

  test("a place at 0,0 is written when the database says so", () => {
    expect(membersToAppend(additionsOf(undefined, { location: { lat: 0, lon: 0 } })).toString()).toBe(
      ',"geo":{"location":{"lat":0,"lon":0}}',
    );
  });

  test("every field has its ECS name", () => {
    const all = additionsOf(
      { asNumber: 1, asOrganizationName: "b" },
      {
        continentCode: "c",
        continentName: "d",
        countryIsoCode: "e",
        countryName: "f",
        regionIsoCode: "g",
        regionName: "h",
        cityName: "i",
        postalCode: "j",
        timezone: "k",
        location: { lat: 1, lon: 2 },
      },
    );
    expect(JSON.parse(`{"ip":""${membersToAppend(all)}}`)).toEqual({
      ip: "",
      as: { number: 1, organization: { name: "b" } },
      geo: {
        continent_code: "c",
        continent_name: "d",
        country_iso_code: "e",
        country_name: "f",
        region_iso_code: "g",
        region_name: "h",
        city_name: "i",
        postal_code: "j",
        timezone: "k",
        location: { lat: 1, lon: 2 },
      },
    });
  });
});

describe("merging", () => {
  test("appends to an object without these keys", () => {
    expect(merged('{"ip":"x","port":1}')).toBe(`{"ip":"x","port":1,${as},${geo},${domain}}`);
  });

  test("keeps the other keys of as and geo, in their place, and their bytes", () => {
    expect(
      merged('{"as":{"number":1,"x":1.0e5,"organization":{"y":"\\u0041"}},"ip":"x","geo":{"name":"dc 1"}}'),
    ).toBe(
      '{"as":{"number":64496,"x":1.0e5,"organization":{"y":"\\u0041","name":"Net \\"A\\""}},"ip":"x",' +
        '"geo":{"name":"dc 1","country_iso_code":"SE","city_name":"Linköping","location":{"lat":58.4167,"lon":15.6167}},' +
        `${domain}}`,
    );
  });

  test("replaces these keys and nothing else", () => {
    expect(
      merged(
        '{ "geo" : { "city_name" : "Old" , "location" : [1,2] , "country_name":"Kept" } , "domain" : "old." }',
      ),
    ).toBe(
      '{ "geo" : { "city_name" : "Linköping" , "location" : {"lat":58.4167,"lon":15.6167} , "country_name":"Kept" ' +
        `,"country_iso_code":"SE"} , "domain" : "host.example.com" ,${as}}`,
    );
  });

  test("fills an empty object and a null", () => {
    expect(merged('{"as":{},"geo":null,"domain":null}')).toBe(`{${as},${geo},${domain}}`);
    expect(merged("{}")).toBe(`{${as},${geo},${domain}}`);
  });

  for (const value of ['"AS64496"', "64496", "[1]", "true"])
    test(`leaves an "as" that is ${value} as it is`, () => {
      expect(merged(`{"as":${value}}`)).toBe(`{"as":${value},${geo},${domain}}`);
    });

  test("merges into the last of duplicate keys", () => {
    expect(merged('{"domain":"a","domain":"b"}', [domainAddition("c")])).toBe('{"domain":"a","domain":"c"}');
  });

  test("finds keys that are spelled with escapes", () => {
    expect(merged(String.raw`{"\u0064omain":"a"}`, [domainAddition("c")])).toBe(
      String.raw`{"\u0064omain":"c"}`,
    );
  });

  test("touches nothing before or after the object", () => {
    const bytes = Buffer.from('xx{"a":1}yy');
    expect(mergeObject(bytes, 2, 9, [domainAddition("c")]).toString()).toBe('{"a":1,"domain":"c"}');
  });

  test("without additions returns the same bytes", () => {
    expect(merged('{ "as" : {"number":1} }', [])).toBe('{ "as" : {"number":1} }');
  });
});
