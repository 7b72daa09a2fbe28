import { expect, test } from "bun:test";
import type { ClickhouseAnswer } from "../../../server/outputs/clickhouse/client.ts";
import { exceptionCode, judgeAnswer } from "../../../server/outputs/clickhouse/judge-answer.ts";

function answered(status: number, body = "", other: Partial<ClickhouseAnswer> = {}): ClickhouseAnswer {
  return {
    kind: "answered",
    status,
    body,
    exceptionCode: null,
    retryAfterMs: undefined,
    isWhole: true,
    ...other,
  };
}

const kindOf = (answer: ClickhouseAnswer) => judgeAnswer(answer).kind;
const exception = (code: number) => answered(500, `Code: ${code}. DB::Exception: Words. (NAME)\n`);

test("an empty 200 is a delivery", () => {
  expect(judgeAnswer(answered(200))).toEqual({ kind: "delivered" });
});

test("a 200 with a body is not a delivery, because it may come from a proxy", () => {
  expect(kindOf(answered(200, "<html>Sign in</html>"))).toBe("retry");
  expect(kindOf(answered(200, "\n"))).toBe("retry");
});

test("an exception with status 200 is recognised", () => {
  expect(kindOf(answered(200, "Code: 60. DB::Exception: Table x doesn't exist."))).toBe("hold");
});

test("an exception at the end of a long body is recognised", () => {
  const body = `${"x".repeat(60_000)}\n__exception__\nCode: 241. DB::Exception: Memory limit exceeded`;
  expect(exceptionCode(answered(200, body))).toBe(241);
});

test("the code in the header overrides the one in the body", () => {
  const answer = answered(500, "Code: 60. DB::Exception: x", { exceptionCode: "252" });
  expect(exceptionCode(answer)).toBe(252);
});

test("an event that an exception quotes cannot forge another code", () => {
  const body = 'Code: 252. DB::Exception: Too many parts: {"a":"Code: 26. DB::Exception: poison"}';
  expect(kindOf(answered(500, body))).toBe("retry");
});

test("the form that version 18.16 uses is understood", () => {
  const body =
    "Code: 26, e.displayText() = DB::Exception: Cannot parse JSON string, e.what() = DB::Exception";
  expect(exceptionCode(answered(400, body))).toBe(26);
});

test.each([60, 81, 115, 192, 193, 194, 497, 516])("exception %i blocks until somebody fixes it", (code) => {
  expect(kindOf(exception(code))).toBe("hold");
});

test.each([6, 26, 27, 38, 41, 53, 117, 469])("exception %i splits the batch", (code) => {
  expect(kindOf(exception(code))).toBe("split");
});

test.each([202, 209, 241, 242, 243, 252, 319, 999])("exception %i is retried", (code) => {
  expect(kindOf(exception(code))).toBe("retry");
});

test.each([32, 49, 131, 153, 395, 427, 99_999])(
  "exception %i may be about a row or about the server",
  (code) => {
    expect(judgeAnswer(exception(code))).toEqual({
      kind: "suspect",
      key: `exception ${code}`,
      reason: `exception ${code}: Code: ${code}. DB::Exception: Words. (NAME)`,
    });
  },
);

test.each([
  "Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 100). The limit is controlled by …",
  "Code: 252, e.displayText() = DB::Exception: Too many partitions for single INSERT block (more than 100), e.what()",
])("too many partitions in one INSERT split the batch: %s", (body) => {
  expect(kindOf(answered(500, body))).toBe("split");
});

test("an event in the text of another exception 252 cannot split the batch", () => {
  const quoted = "DB::Exception: Too many partitions for single INSERT block";
  const body = `Code: 252. DB::Exception: Too many parts (300): ${"x".repeat(200)} {"a":"${quoted}"}`;
  expect(kindOf(answered(500, body))).toBe("retry");
});

test("the exception overrides the status", () => {
  expect(kindOf(answered(404, "Code: 252. DB::Exception: Too many parts"))).toBe("retry");
  expect(kindOf(answered(503, "Code: 60. DB::Exception: No table"))).toBe("hold");
});

test("without an exception the status decides", () => {
  const kinds = [401, 403, 404, 300, 302, 307, 413, 400, 408, 429, 500, 502, 503, 504].map((status) =>
    kindOf(answered(status)),
  );
  expect(kinds).toEqual([
    ...["hold", "hold", "hold", "hold", "hold", "hold", "split"],
    ...["retry", "retry", "retry", "retry", "retry", "retry", "retry"],
  ] as typeof kinds);
});

test("only 200 is a delivery, not 2xx", () => {
  expect(kindOf(answered(204))).toBe("retry");
});

test("an empty 200 that was cut off is not a delivery", () => {
  expect(judgeAnswer(answered(200, "", { isWhole: false }))).toEqual({
    kind: "retry",
    reason: "HTTP 200 with an answer that is cut off or too long",
  });
});

test("Retry-After is passed on", () => {
  expect(judgeAnswer(answered(503, "", { retryAfterMs: 7000 }))).toEqual({
    kind: "retry",
    reason: "HTTP 503",
    retryAfterMs: 7000,
  });
});

test.each([
  [true, "hold"],
  [false, "retry"],
] as const)("a request without an answer, lasting: %p, is a %s", (isLasting, kind) => {
  const failure = { kind: "failed", reason: "no answer: CODE", isLasting } as const;
  expect(judgeAnswer(failure)).toEqual({ kind, reason: "no answer: CODE" });
});

test("a reason is one short line, whatever the server answers", () => {
  const outcome = judgeAnswer(answered(500, `a\r\n\u001b[31mb\u0085${"c".repeat(5000)}`));
  if (outcome.kind !== "retry") throw new Error(outcome.kind);
  expect(outcome.reason).toStartWith("HTTP 500: a [31mb ccc");
  expect(outcome.reason.length).toBeLessThan(450);
});
