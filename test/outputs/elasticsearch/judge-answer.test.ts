import { describe, expect, test } from "bun:test";
import { judgeAnswer, outcomeOf } from "../../../server/outputs/elasticsearch/judge-answer.ts";
import type { SendOutcome } from "../../../server/outputs/output.ts";
import { storedEvent } from "./stand-in.ts";

const events = [storedEvent(1), storedEvent(2), storedEvent(3)];

function judge(status: number, json: unknown, retryAfterMs?: number): SendOutcome {
  const judged = judgeAnswer({ kind: "answered", status, json, retryAfterMs }, events);
  return judged.kind === "items" ? outcomeOf(judged, events.length) : judged;
}

function judgeItems(...items: { status: number; error?: unknown }[]) {
  return judge(200, { items: items.map((create) => ({ create })) });
}

const done = { status: 201 };

describe("an answer to the whole request", () => {
  test.each([429, 500, 502, 503, 504, 408, 202])("HTTP %d is retried", (status) => {
    expect(judge(status, undefined)).toEqual({ kind: "retry", reason: `HTTP ${status}` });
  });

  test.each([300, 301, 307, 400, 401, 403, 404, 405, 406])(
    "HTTP %d blocks until somebody fixes it",
    (status) => {
      expect(judge(status, undefined)).toMatchObject({ kind: "hold" });
    },
  );

  test("HTTP 413 splits the batch", () => {
    expect(judge(413, undefined)).toMatchObject({ kind: "split" });
  });

  test("a request that is refused for a setting blocks, and rejects no event", () => {
    const error = { type: "illegal_argument_exception", reason: "explicit index in bulk is not allowed" };
    expect(judge(400, { error })).toEqual({
      kind: "hold",
      reason: "HTTP 400 illegal_argument_exception: explicit index in bulk is not allowed",
    });
  });

  test("a read-only cluster is retried, even if it answers 403", () => {
    const error = {
      type: "cluster_block_exception",
      reason: "blocked by: [FORBIDDEN/6/cluster read-only (api)];",
    };
    expect(judge(403, { error })).toMatchObject({ kind: "retry" });
  });

  test("Retry-After is passed on", () => {
    expect(judge(429, undefined, 4000)).toMatchObject({ kind: "retry", retryAfterMs: 4000 });
  });

  test("the reason that the cluster gives is passed on", () => {
    const error = { type: "security_exception", reason: "unable to authenticate user [loom]" };
    expect(judge(401, { error })).toEqual({
      kind: "hold",
      reason: "HTTP 401 security_exception: unable to authenticate user [loom]",
    });
  });
});

describe("the items of an answer", () => {
  test.each([
    [200, "delivered"],
    [299, "delivered"],
    [300, "judged"],
    [500, "judged"],
  ] as const)("with status %d make the outcome %s", (status, kind) => {
    const outcome = judgeItems(done, { status }, done);
    expect(outcome.kind).toBe(kind);
    if (outcome.kind === "judged") expect(outcome.retry).toEqual([events[1] as never]);
  });

  test("201 and 409 are accepted", () => {
    expect(
      judgeItems(done, { status: 409, error: { type: "version_conflict_engine_exception" } }, done),
    ).toEqual({
      kind: "delivered",
    });
  });

  test("a 400 item is rejected with its reason and its cause, and the others are accepted", () => {
    const error = {
      type: "mapper_parsing_exception",
      reason: "failed to parse",
      caused_by: { reason: "Duplicate field 'dup'" },
    };
    const reason = "HTTP 400 mapper_parsing_exception: failed to parse (Duplicate field 'dup')";
    expect(judgeItems(done, { status: 400, error }, done)).toEqual({
      kind: "judged",
      rejected: [{ event: events[1] as never, reason }],
      retry: [],
      reason: `1 of 3 events rejected: ${reason}`,
    });
  });

  test("429 and 5xx items are retried, and rejected ones are not", () => {
    const error = { type: "es_rejected_execution_exception", reason: "queue is full" };
    expect(judgeItems({ status: 429, error }, { status: 400 }, { status: 503 })).toEqual({
      kind: "judged",
      rejected: [{ event: events[1] as never, reason: "HTTP 400" }],
      retry: [events[0] as never, events[2] as never],
      reason: "2 of 3 events: HTTP 429 es_rejected_execution_exception: queue is full",
    });
  });

  test.each(["fail_processor_exception", "exception", "null_pointer_exception"])(
    "an item 500 of the type %s, which its document causes in every attempt, is rejected",
    (type) => {
      const error = { type, reason: "no write index" };
      expect(judgeItems({ status: 500, error }, done, done)).toMatchObject({
        kind: "judged",
        rejected: [{ event: events[0] }],
        retry: [],
      });
    },
  );

  test.each([
    [500, "i_o_exception"],
    [500, undefined],
    [503, "exception"],
  ])("an item %d of the type %s is retried", (status, type) => {
    expect(judgeItems({ status, error: { type, reason: "x" } }, done, done)).toMatchObject({
      kind: "judged",
      rejected: [],
      retry: [events[0]],
    });
  });

  test("a write block is retried, even if its status is 403", () => {
    const error = { type: "cluster_block_exception", reason: "blocked by: [FORBIDDEN/8/index write (api)];" };
    expect(judgeItems(done, done, { status: 403, error })).toMatchObject({
      kind: "judged",
      retry: [events[2]],
    });
  });

  test.each([
    [401, "security_exception", "missing authentication"],
    [403, "security_exception", "action [indices:data/write/bulk] is unauthorized"],
    [404, "index_not_found_exception", "no such index [loom-events]"],
    [400, "index_closed_exception", "closed"],
    [
      400,
      "validation_exception",
      "Validation Failed: 1: this action would add [2] total shards, but this cluster currently has [1000]/[1000] maximum shards open;",
    ],
    [
      400,
      "validation_exception",
      "this action would add [2] shards, but this cluster currently has [1000]/[1000] maximum normal shards open;",
    ],
    [400, "illegal_argument_exception", "no write index is defined for alias [loom-events]"],
    [400, "illegal_argument_exception", "pipeline with id [geo] does not exist"],
    [400, "illegal_argument_exception", "Number of documents in the index can't exceed [2147483519]"],
    [400, "illegal_argument_exception", "number of documents in the index cannot exceed 2147483519"],
    [400, "illegal_argument_exception", "explicit index in bulk is not allowed"],
    [
      400,
      "illegal_argument_exception",
      "only write ops with an op_type of create are allowed in data streams",
    ],
    [
      400,
      "illegal_argument_exception",
      "index request with op_type=create targeting backing indices is disallowed, target corresponding data stream [d] instead",
    ],
    [400, "routing_missing_exception", "routing is required for [loom-events]/[1]"],
    [
      400,
      "invalid_alias_name_exception",
      "Invalid alias name [a], an index exists with the same name as the alias",
    ],
  ])("an error that no event causes blocks all of them: HTTP %d %s: %s", (status, type, reason) => {
    expect(judgeItems(done, { status, error: { type, reason } }, done)).toEqual({
      kind: "hold",
      reason: `HTTP ${status} ${type}: ${reason}`,
    });
  });

  test("an event whose text quotes such an error is rejected", () => {
    const error = {
      type: "mapper_parsing_exception",
      reason: "Preview of field's value: 'maximum shards open'",
    };
    expect(judgeItems({ status: 400, error }, done, done)).toMatchObject({ kind: "judged", retry: [] });
  });

  test.each([
    ["validation_exception", "x: this action would add [2] shards, but this cluster currently has"],
    ["mapper_parsing_exception", "no write index is defined for alias [b]"],
    ["illegal_argument_exception", "failed to parse field [a]: no write index is defined for alias [b]"],
    ["illegal_argument_exception", "unknown value 'x'\npipeline with id [geo] does not exist"],
    ["illegal_argument_exception", "Validation Failed: 2: this action would add [2] shards"],
    ["illegal_argument_exception", "field [Number of documents in the index can't exceed [2147483519]]"],
    ["illegal_argument_exception", "explicit index in bulk is not allowed'. Preview of field's value"],
    ["mapper_parsing_exception", "number of documents in the index cannot exceed 2147483519"],
    ["document_parsing_exception", "no write index is defined for alias [a]"],
  ])("an event is rejected and blocks nothing if %s quotes such an error further on", (type, reason) => {
    expect(judgeItems({ status: 400, error: { type, reason } }, done, done)).toMatchObject({
      kind: "judged",
      rejected: [{ event: events[0] }],
      retry: [],
    });
  });

  test.each(["mapper_parsing_exception", "document_parsing_exception"])(
    "%s rejects its event, whatever the field is called",
    (type) => {
      const reason =
        "[1:13] object mapping for [observer] tried to parse field [observer] as object, but found a concrete value";
      expect(judgeItems({ status: 400, error: { type, reason } }, done, done)).toMatchObject({
        kind: "judged",
        rejected: [{ event: events[0], reason: `HTTP 400 ${type}: ${reason}` }],
      });
    },
  );

  test("a reason does not contain the request that a parser quotes", () => {
    const cause = {
      reason:
        "Duplicate field 'a'\n at [Source: (byte[])\"POST /a/_bulk HTTP/1.1\r\nAuthorization: Basic ZWxhc3RpYzp4\r\n\"; line: 1]",
    };
    const error = { type: "mapper_parsing_exception", reason: "failed to parse", caused_by: cause };
    expect(judgeItems({ status: 400, error }, done, done)).toMatchObject({
      rejected: [{ reason: "HTTP 400 mapper_parsing_exception: failed to parse (Duplicate field 'a')" }],
    });
  });

  test("a reason is bounded, and unsafe characters in it are escaped", () => {
    const error = { type: "mapper_parsing_exception", reason: `\u001b[2J\n${"x".repeat(10_000)}` };
    const outcome = judgeItems({ status: 400, error }, done, done);
    const reason = (outcome.kind === "judged" && outcome.rejected[0]?.reason) || "";
    expect(reason).toStartWith("HTTP 400 mapper_parsing_exception: \\u001b[2J\\u000a");
    expect(reason.length).toBeLessThan(600);
  });
});

describe("an answer that cannot be trusted makes all events be retried:", () => {
  test.each<[string, unknown]>([
    ["cut off or not JSON", undefined],
    ["not an object", "ok"],
    ["without items", { errors: false }],
    ["with fewer items than events", { items: [{ create: done }] }],
    ["with more items than events", { items: Array(4).fill({ create: done }) }],
    ["with items of another action", { items: Array(3).fill({ index: done }) }],
    ["with a status that is not an integer", { items: Array(3).fill({ create: { status: 200.5 } }) }],
    ["with a status that is not a number", { items: Array(3).fill({ create: { status: "201" } }) }],
    ["with a null item", { items: [null, { create: done }, { create: done }] }],
  ])("%s", (_, json) => {
    expect(judge(200, json)).toMatchObject({ kind: "retry" });
  });
});
