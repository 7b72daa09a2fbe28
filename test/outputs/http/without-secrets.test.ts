import { expect, test } from "bun:test";
import { withoutSecrets } from "../../../server/outputs/http/without-secrets.ts";
import type { SendOutcome } from "../../../server/outputs/output.ts";
import { storedEvent } from "../../support/memory-outbox.ts";

const credentials = { user: "loom", password: "hunter2ü", apiKey: "key-id:key-secret" };
const basic = Buffer.from("loom:hunter2ü").toString("base64");
const encodedKey = Buffer.from("key-id:key-secret").toString("base64");
const delivery = { outboxId: "outbox-1", events: [storedEvent(1)] };

/** The outcome, with secrets masked, of an output that sends this one. */
function hidden(outcome: SendOutcome | Error): Promise<SendOutcome> {
  const send = () => (outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome));
  const output = withoutSecrets({ name: "stub", send, close() {} }, credentials);
  return output.send(delivery, new AbortController().signal);
}

test.each(["hunter2ü", basic, "key-id:key-secret", encodedKey, "key-secret"])(
  "%s is in no reason",
  async (secret) => {
    const reason = `HTTP 500: you sent ${secret} and ${secret}`;
    expect(await hidden({ kind: "retry", reason })).toEqual({
      kind: "retry",
      reason: "HTTP 500: you sent *** and ***",
    });
  },
);

test("a secret that is part of another one does not leave the rest of it", async () => {
  const overlapping = { user: "loom", password: "key-s", apiKey: "key-id:key-secret" };
  const send = async (): Promise<SendOutcome> => ({ kind: "retry", reason: "you sent key-id:key-secret" });
  const output = withoutSecrets({ name: "stub", send, close() {} }, overlapping);
  expect(await output.send(delivery, new AbortController().signal)).toEqual({
    kind: "retry",
    reason: "you sent ***",
  });
});

test("the reason of a single event contains none", async () => {
  const refused = [{ event: storedEvent(1), reason: "HTTP 400 hunter2ü" }];
  const outcome = await hidden({ kind: "judged", rejected: refused, retry: [], reason: "1 of 1: hunter2ü" });
  expect(outcome).toMatchObject({ reason: "1 of 1: ***", rejected: [{ reason: "HTTP 400 ***" }] });
});

test("one that was cut in the middle is masked too", async () => {
  const reason = `HTTP 500: Authorization: Basic ${basic.slice(0, -3)}…`;
  expect(await hidden({ kind: "hold", reason })).toEqual({
    kind: "hold",
    reason: "HTTP 500: Authorization: Basic ***…",
  });
});

test("the error of an output that fails contains none", async () => {
  const failure = await hidden(new Error(`invalid header: ${encodedKey}`)).catch(
    (error: Error) => error.message,
  );
  expect(failure).toBe("invalid header: ***");
});

test("reasons do not change without credentials", async () => {
  const reason = "HTTP 500: …";
  const send = async (): Promise<SendOutcome> => ({ kind: "retry", reason });
  const none = { user: undefined, password: undefined };
  const output = withoutSecrets({ name: "stub", send, close() {} }, none);
  expect(await output.send(delivery, new AbortController().signal)).toEqual({ kind: "retry", reason });
});
