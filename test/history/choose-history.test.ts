import { expect, test } from "bun:test";
import { chooseHistory } from "../../server/history/choose-history.ts";

const stdout = { name: "stdout", openHistory: undefined };
const store = { name: "store", openHistory: () => {} };
const clickhouse = { name: "clickhouse", openHistory: () => {} };

test("without a setting, the first output that can be read is chosen", () => {
  expect(chooseHistory(undefined, [stdout, clickhouse])).toEqual({ kind: "accepted", value: clickhouse });
  expect(chooseHistory(undefined, [store, clickhouse])).toEqual({ kind: "accepted", value: store });
});

test("without an output that can be read, there is no history", () => {
  expect(chooseHistory(undefined, [stdout])).toEqual({ kind: "accepted", value: undefined });
});

test("the setting names an output, or switches the history off", () => {
  expect(chooseHistory("clickhouse", [store, clickhouse])).toEqual({ kind: "accepted", value: clickhouse });
  expect(chooseHistory("off", [store, clickhouse])).toEqual({ kind: "accepted", value: undefined });
});

test("a setting that names another output is refused, and the refusal says what is allowed", () => {
  expect(chooseHistory("store", [stdout, clickhouse])).toEqual({
    kind: "refused",
    refusal: 'history = "store": output.type has only "clickhouse" among those that can be searched',
  });
  expect(chooseHistory("clickhouse", [stdout])).toEqual({
    kind: "refused",
    refusal: 'history = "clickhouse": output.type has none whose events can be searched',
  });
});
