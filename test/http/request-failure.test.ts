import { describe, expect, test } from "bun:test";
import { describeFailure } from "../../server/http/request-failure.ts";

const running = new AbortController().signal;

function failureOf(code: string, message = code) {
  return describeFailure(Object.assign(new Error(message), { code }), running);
}

test("a connection that failed is described by its code, and passes", () => {
  expect(failureOf("ECONNRESET", "The socket closed. For more information …")).toEqual({
    kind: "failed",
    reason: "no answer: ECONNRESET",
    isLasting: false,
  });
});

test.each([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "CERT_HAS_EXPIRED",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
])("the certificate error %s lasts until somebody fixes it", (code) => {
  expect(failureOf(code)).toMatchObject({ isLasting: true });
});

test("an error that only mentions a certificate is not a certificate error", () => {
  expect(failureOf("ECERTIFIED")).toMatchObject({ isLasting: false });
});

test("an error without a code is described by its message, on one line", () => {
  expect(describeFailure(new Error("one\ntwo\u001b"), running)).toMatchObject({
    reason: "no answer: one two",
  });
});

describe("a signal", () => {
  test("that was a deadline makes it a late answer", () => {
    const signal = AbortSignal.abort(new DOMException("late", "TimeoutError"));
    expect(describeFailure(signal.reason, signal)).toMatchObject({
      reason: "no answer in time",
      isLasting: false,
    });
  });

  test("that was a deadline is recognised even if the error is another one", () => {
    const signal = AbortSignal.abort(new DOMException("late", "TimeoutError"));
    expect(describeFailure(new Error("closed"), signal)).toMatchObject({ reason: "no answer in time" });
  });

  test("that was a stop makes it a stop", () => {
    const signal = AbortSignal.abort();
    expect(describeFailure(signal.reason, signal)).toMatchObject({
      reason: "stopped while waiting for the answer",
    });
  });
});
