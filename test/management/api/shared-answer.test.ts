import { expect, test } from "bun:test";
import { sharedAnswer } from "../../../server/management/api/shared-answer.ts";
import { createWoundClock } from "../../support/wound-clock.ts";

test("an answer is built once for all requests within its time, and again for later ones", () => {
  const clock = createWoundClock();
  let built = 0;
  const answer = sharedAnswer(() => ({ built: ++built }), 1000, clock.monotonic);
  expect([answer(), answer()]).toEqual(['{"built":1}', '{"built":1}']);
  clock.advance(999);
  expect(answer()).toBe('{"built":1}');
  clock.advance(1);
  expect(answer()).toBe('{"built":2}');
});

test("an answer that could not be built is built at the next request", () => {
  let isBroken = true;
  const answer = sharedAnswer(() => {
    if (isBroken) throw new Error("broken");
    return {};
  }, 1000);
  expect(answer).toThrow("broken");
  isBroken = false;
  expect(answer()).toBe("{}");
});
