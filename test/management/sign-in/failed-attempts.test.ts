import { describe, expect, test } from "bun:test";
import { FailedAttempts } from "../../../server/management/sign-in/failed-attempts.ts";

const minuteMs = 60_000;

/** Answers wait until `wake`. Their delays are recorded. */
function start() {
  const clock = { now: 0 };
  const delays: number[] = [];
  const sleeping: (() => void)[] = [];
  const attempts = new FailedAttempts({
    now: () => clock.now,
    sleep(ms) {
      delays.push(ms);
      return new Promise((resolve) => sleeping.push(resolve));
    },
  });
  const slowDown = (client: string | undefined) => attempts.slowDown(client);
  const wake = () => {
    for (const resolve of sleeping.splice(0)) resolve();
  };
  /** Fails this many times, each time after the previous answer. */
  async function failInTurn(client: string | undefined, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const answer = slowDown(client);
      wake();
      await answer;
    }
  }
  return { slowDown, wake, failInTurn, clock, delays };
}

describe("the answer to a wrong token", () => {
  test("waits longer with each one, up to 5 seconds", async () => {
    const { failInTurn, delays } = start();
    await failInTurn("192.0.2.1", 8);
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
  });

  test("waits at most 5 seconds, even after thousands", async () => {
    const { failInTurn, delays } = start();
    await failInTurn("192.0.2.1", 2000);
    expect(delays.at(-1)).toBe(5000);
  });

  test("is not delayed by another address", async () => {
    const { failInTurn, delays } = start();
    await failInTurn("192.0.2.1", 5);
    await failInTurn("192.0.2.2", 1);
    expect(delays.at(-1)).toBe(250);
  });

  test("has the first delay again after 15 minutes without a wrong token", async () => {
    const { failInTurn, delays, clock } = start();
    await failInTurn("192.0.2.1", 5);
    clock.now += 15 * minuteMs - 1;
    await failInTurn("192.0.2.1", 1);
    expect(delays.at(-1)).toBe(5000);
    clock.now += 15 * minuteMs;
    await failInTurn("192.0.2.1", 1);
    expect(delays.at(-1)).toBe(250);
  });

  test("does not wait if five of that address do; it has the time after which to retry", async () => {
    const { slowDown, delays } = start();
    for (let i = 0; i < 5; i++) void slowDown("192.0.2.1");
    expect(await slowDown("192.0.2.1")).toBe(5);
    expect(delays).toHaveLength(5);
  });

  test("waits again when others are answered", async () => {
    const { slowDown, wake, delays, failInTurn } = start();
    const answers = Array.from({ length: 5 }, () => slowDown("192.0.2.1"));
    wake();
    expect(await Promise.all(answers)).toEqual(new Array(5).fill(undefined));
    await failInTurn("192.0.2.1", 1);
    expect(delays).toHaveLength(6);
  });

  test("does not wait if 200 of all addresses do", async () => {
    const { slowDown } = start();
    for (let i = 0; i < 200; i++) void slowDown(`192.0.2.${i}`);
    expect(await slowDown("198.51.100.1")).toBe(1);
  });

  test("takes bounded memory: after 10,000 addresses the oldest are evicted", async () => {
    const { failInTurn, delays } = start();
    await failInTurn("192.0.2.1", 3);
    for (let i = 0; i < 10_000; i++) await failInTurn(`10.0.${i >> 8}.${i & 255}`, 1);
    await failInTurn("192.0.2.1", 1);
    expect(delays.at(-1)).toBe(250);
  });
});

describe("one client is", () => {
  for (const [what, first, second] of [
    ["an IPv6 network of 64 bits", "2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3"],
    ["the same with other spellings", "2001:db8:0:0::1", "2001:0DB8::2"],
    ["an IPv4 address, also within IPv6", "192.0.2.1", "::ffff:192.0.2.1"],
    ["a link-local network with its zone", "fe80::1%eth0", "fe80::2%eth0"],
    ["everybody whose address is unknown", undefined, undefined],
  ] as const)
    test(what, async () => {
      const { failInTurn, delays } = start();
      await failInTurn(first, 1);
      await failInTurn(second, 1);
      expect(delays).toEqual([250, 500]);
    });

  for (const [what, first, second] of [
    ["another network of 64 bits", "2001:db8:1:2::1", "2001:db8:1:3::1"],
    ["another IPv4 address within IPv6", "::ffff:192.0.2.1", "::ffff:192.0.2.2"],
    ["another IPv4 address", "192.0.2.1", "192.0.2.2"],
  ] as const)
    test(`not ${what}`, async () => {
      const { failInTurn, delays } = start();
      await failInTurn(first, 1);
      await failInTurn(second, 1);
      expect(delays).toEqual([250, 250]);
    });
});
