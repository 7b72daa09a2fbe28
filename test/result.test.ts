import { expect, test } from "bun:test";
import { accepted, type Result, refused } from "../server/result.ts";

function parsePort(text: string): Result<number, "not_a_port"> {
  const port = Number(text);
  return port > 0 && port < 65_536 ? accepted(port) : refused("not_a_port");
}

test("an accepted result holds the value", () => {
  expect(parsePort("8080")).toEqual({ kind: "accepted", value: 8080 });
});

test("a refused result holds the reason", () => {
  expect(parsePort("70000")).toEqual({ kind: "refused", refusal: "not_a_port" });
});

test("undefined is a value, told from a refusal by its kind", () => {
  expect(accepted(undefined).kind).toBe("accepted");
  expect(refused(undefined).kind).toBe("refused");
});
