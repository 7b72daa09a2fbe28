import { describe, expect, test } from "bun:test";
import { SourceAddressFields } from "../../server/enrich/source-address.ts";

const defaults = ["source.ip", "source.address", "src_ip", "src_host", "client.ip"];

function addressIn(event: string, fields: readonly string[] = defaults): string | undefined {
  // The event is not at the beginning of the bytes, as in a batch.
  const bytes = Buffer.from(`[${event}]`);
  return new SourceAddressFields(fields).find(bytes, 1);
}

describe("the address is found", () => {
  const found: [what: string, event: string, address: string][] = [
    ["in a nested field", '{"a":1,"client":{"port":1,"ip":"8.8.8.8"}}', "8.8.8.8"],
    ["in a field with a dot in its name", '{"source.ip":"8.8.8.8"}', "8.8.8.8"],
    ["in a field at the top level", '{"src_ip":"2001:4860::8888"}', "2001:4860::8888"],
    ["behind an escaped key", '{"src\\u005fhost":"8.8.8.8"}', "8.8.8.8"],
    ["in an escaped text", '{"src_ip":"8\\u002e8.8.8"}', "8.8.8.8"],
    ["in the preferred field", '{"src_ip":"1.1.1.1","source":{"address":"8.8.8.8"}}', "8.8.8.8"],
    ["in a preferred field that is not public", '{"src_ip":"1.1.1.1","source.ip":"10.0.0.1"}', "10.0.0.1"],
    [
      "in the next field if one has a name",
      '{"source":{"address":"h.example"},"src_ip":"1.1.1.1"}',
      "1.1.1.1",
    ],
    ["in the next field if one is empty", '{"source":{"ip":""},"src_host":"1.1.1.1"}', "1.1.1.1"],
    ["in the next field if one is null", '{"source":null,"src_host":"1.1.1.1"}', "1.1.1.1"],
    ["in the next field if one is a number", '{"src_ip":7,"src_host":"1.1.1.1"}', "1.1.1.1"],
    ["in the last of duplicate keys", '{"src_ip":"1.1.1.1","src_ip":"8.8.8.8"}', "8.8.8.8"],
    [
      "in the nested field if the dotted one has none",
      '{"source.ip":"","source":{"ip":"8.8.8.8"}}',
      "8.8.8.8",
    ],
    ["as the first public one of a list", '{"src_ip":["x",7,"10.0.0.1","8.8.8.8","1.1.1.1"]}', "8.8.8.8"],
    ["as the first one of a list without a public one", '{"src_ip":["x","10.0.0.1","10.0.0.2"]}', "10.0.0.1"],
  ];
  test.each(found)("%s", (_, event, address) => {
    expect(addressIn(event)).toBe(address);
  });

  test.each([
    '{"a":{"b":{"c":"8.8.8.8"}}}',
    '{"a.b":{"c":"8.8.8.8"}}',
    '{"a":{"b.c":"8.8.8.8"}}',
    '{"a.b.c":"8.8.8.8"}',
    '{"a":7,"a.b":{"c":"8.8.8.8"}}',
  ])("at any mixture of nesting and dots: %s", (event) => {
    expect(addressIn(event, ["a.b.c"])).toBe("8.8.8.8");
  });
});

describe("no address is found", () => {
  test.each([
    "{}",
    '{"source":{}}',
    '{"source":[{"ip":"8.8.8.8"}]}',
    '{"src_ip":[]}',
    '{"src_ip":["x"]}',
    '{"src_ip":{"ip":"8.8.8.8"}}',
    '{"src_ip":"8.8.8.8:80"}',
    '{"SRC_IP":"8.8.8.8"}',
    '{"nested":{"src_ip":"8.8.8.8"}}',
    '{"src_ip_":"8.8.8.8","src_i":"8.8.8.8"}',
    `{"src_ip":"${"1".repeat(100_000)}"}`,
  ])("in %.60s", (event) => {
    expect(addressIn(event)).toBeUndefined();
  });

  test("behind the 32nd element of a list", () => {
    expect(addressIn(`{"src_ip":[${'"x",'.repeat(32)}"8.8.8.8"]}`)).toBeUndefined();
  });
});

test("a large object is read once, not once for each of the fields in it", () => {
  const bytes = Buffer.from(`{"client":{${'"a":0,'.repeat(1000)}"b":0}}`);
  const fields = Array.from({ length: 16 }, (_, i) => `client.ip${i}`);
  // The event is skipped as a whole, and then its object is read; each of its bytes is examined a few times.
  expect(readsIn(bytes, fields)).toBeLessThan(2 * readsIn(bytes, fields.slice(0, 1)));
});

/** How often a byte is read in a search. */
function readsIn(bytes: Buffer, fields: readonly string[]): number {
  let reads = 0;
  const counted = new Proxy(bytes, {
    get(target, name) {
      if (typeof name === "string" && /^\d+$/.test(name)) reads++;
      return Reflect.get(target, name);
    },
  });
  new SourceAddressFields(fields).find(counted, 0);
  return reads;
}
