import { expect, test } from "bun:test";
import { withoutDuplicateKeys } from "../../../server/outputs/elasticsearch/duplicate-keys.ts";

const without = (document: string) => withoutDuplicateKeys(Buffer.from(document))?.toString();

test.each([
  ['{"a":1,"b":2,"a":3}', '{"b":2,"a":3}'],
  ['{"a":1,"a":2,"a":3}', '{"a":3}'],
  ['{"a":{"x":1,"x":2},"b":[{"y":1,"y":[2]}]}', '{"a":{"x":2},"b":[{"y":[2]}]}'],
  ['{"a":{"x":1,"x":2},"a":{"y":1,"y":2}}', '{"a":{"y":2}}'],
  ['{"a":1,"\\u0061":2}', '{"\\u0061":2}'],
  ['{"":0,"":1e400}', '{"":1e400}'],
  ['{ "a" : 1 , "b":"}\\"," , "a" : 18446744073709551615 }', '{ "b":"}\\"," , "a" : 18446744073709551615 }'],
  ['{"__proto__":1,"__proto__":2}', '{"__proto__":2}'],
  ['{"ä":"ö","ä":"\\ud800"}', '{"ä":"\\ud800"}'],
])("of the members of %s with the same key, only the last one stays", (document, expected) => {
  expect(without(document)).toBe(expected);
});

test.each([
  "{}",
  '{"a":1,"b":{"a":1},"A":1,"a.a":2}',
  '{"a":[{"a":1},{"a":2},[],[[]],{}]}',
  '["a","a"]',
  '{"a":1,"a":',
  '{"a":1,"a"}',
  "[1,",
  "",
])("%s is not changed", (document) => {
  expect(without(document)).toBeUndefined();
});

test("an event as deep as ingest accepts is read", () => {
  const deep = (value: string) => `${'{"d":'.repeat(62)}${value}${"}".repeat(62)}`;
  expect(without(deep('{"x":1,"x":2}'))).toBe(deep('{"x":2}'));
});
