import { isIpv4Key } from "../address-key.ts";
import type { ColumnName } from "../event/columns.ts";
import type { ColumnTerm, ValuePattern } from "./query.ts";
import { compileWildcard } from "./wildcard.ts";

/** @param value of the term's column, as event/columns.ts gives it; undefined: the event has none */
export type ValuePredicate = (value: string | number | undefined) => boolean;

type Test = (value: string | number) => boolean;

/** Compiles a term, so that it can also be asked of the values of a dictionary. */
export function compileColumnTerm({ column, isExcluded, values }: ColumnTerm): ValuePredicate {
  const hasValue = inColumn(column, anyOf(values));
  return (value) => (value !== undefined && hasValue(value)) !== isExcluded;
}

/** A column of lists is tested for each member. */
function inColumn(column: ColumnName, test: Test): Test {
  if (column !== "tags") return test;
  return (value) => String(value).split("\n").some(test);
}

function anyOf(patterns: readonly ValuePattern[]): Test {
  const exact = patterns.flatMap((pattern) => (pattern.kind === "exact" ? [pattern.value] : []));
  const tests = patterns.flatMap((pattern) => (pattern.kind === "exact" ? [] : [testOf(pattern)]));
  if (exact.length > 0) tests.unshift(oneOf(exact));
  const [only] = tests;
  return tests.length === 1 && only ? only : (value) => tests.some((test) => test(value));
}

function oneOf(values: readonly (string | number)[]): Test {
  const [only] = values;
  if (values.length === 1) return (value) => value === only;
  const set = new Set(values);
  return (value) => set.has(value);
}

function testOf(pattern: Exclude<ValuePattern, { readonly kind: "exact" }>): Test {
  switch (pattern.kind) {
    case "wildcard": {
      const isMatch = compileWildcard(pattern.pattern);
      return (value) => typeof value === "string" && isMatch(value);
    }
    case "range":
      return (value) => typeof value === "number" && value >= pattern.min && value <= pattern.max;
    case "network":
      return networkTest(pattern.first, pattern.last);
  }
}

function networkTest(first: string, last: string): Test {
  const isWithin: Test = (value) => typeof value === "string" && value >= first && value <= last;
  // ::/0 surrounds the keys of the IPv4 addresses, which are not part of it.
  return isIpv4Key(first) ? isWithin : (value) => isWithin(value) && !isIpv4Key(String(value));
}
