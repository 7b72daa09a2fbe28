import { expect, test } from "bun:test";
import {
  isFormerAddress,
  parseTailQuery,
  queryOfAddress,
  withSuggestion,
} from "../../../ui/models/tail-query.ts";

test("the parameters of a former address are written as one query", () => {
  const former = {
    ...{ sensor: "vps 1", country: "gb", asn: "AS20712", port: "22", address: "2001:db8::1" },
    ...{ ja4: "t13d", ja4h: "ge11", hassh: "abcd", communityId: "1:a+b=", text: "-10.0.0.1" },
  };
  const query = queryOfAddress(former);
  expect(query).toBe(
    'sensor:"vps 1" country:gb as:AS20712 port:22 ip:2001:db8::1 ja4:t13d ja4h:ge11 hassh:abcd community_id:1:a+b= "-10.0.0.1"',
  );
  expect(parseTailQuery(query).kind).toBe("accepted");
  expect([isFormerAddress(former), isFormerAddress({ q: "port:22", x: "y" })]).toEqual([true, false]);
});

test("former parameters are added to the query of the address", () => {
  expect(queryOfAddress({ q: "a b", port: "22", text: "", toString: "x" })).toBe("a b port:22");
  expect(queryOfAddress({})).toBe("");
});

test("a suggestion replaces the wrong part", () => {
  const text = "a prot:22 b";
  const parsed = parseTailQuery(text);
  expect(parsed.kind === "refused" && withSuggestion(text, parsed.refusal)).toBe("a port:22 b");
});

test("a query of the tail has no past", () => {
  const parsed = parseTailQuery("since:1h");
  expect(parsed.kind === "refused" && parsed.refusal.message).toContain("from now on");
});
