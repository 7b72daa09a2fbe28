import { describe, expect, test } from "bun:test";
import type { Loss } from "../../../server/monitoring/sensors/loss-window.ts";
import {
  isClockOff,
  type SensorFacts,
  stateOfSensor,
} from "../../../server/monitoring/sensors/sensor-state.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const quietAfterMs = 120 * second;

const neverSeen: SensorFacts = {
  lastBatchAgoMs: undefined,
  listenedMs: undefined,
  startedAgoMs: 100 * hour,
  firstStartedAgoMs: 100 * hour,
  usualGapMs: undefined,
  gapCount: 0,
  loss: undefined,
  lastRefusal: undefined,
  lastUnauthorizedClaim: undefined,
};
const regular: SensorFacts = {
  ...neverSeen,
  lastBatchAgoMs: 20 * second,
  usualGapMs: 30 * second,
  gapCount: 32,
};
const refused = (agoMs: number, reason = "payload_too_large") => ({ reason, agoMs });
const loss: Loss = {
  keptRequests: 400,
  refusedRequests: 300,
  keptEvents: 4000,
  refusedEvents: 3000,
  isEstimate: true,
  share: 3 / 7,
  reason: "rate_limit_exceeded",
  detail: "over 20 requests/s",
  firstRefusedAgoMs: 4 * minute,
};
const lossNote = "≈ 43 % lost: over 20 requests/s; 300 of 700 requests were refused in the last 5 min";
const tooLarge = { ...loss, reason: "payload_too_large", detail: undefined };
const claim = (agoMs: number) => ({ reason: "unauthorized", agoMs });

const cases: readonly [string, SensorFacts, ReturnType<typeof stateOfSensor>["state"], string][] = [
  ["without any request", neverSeen, "never_seen", "no request with its token since Loom started"],
  ["that sends regularly", regular, "reporting", "usual gap 30 s"],
  [
    "that is not known from any start",
    { ...neverSeen, startedAgoMs: minute },
    "never_seen",
    "no request with its token since Loom was first started 4 d ago",
  ],
  [
    "that sent its last batch before the restart",
    { ...regular, lastBatchAgoMs: 2 * hour, listenedMs: 40 * second, startedAgoMs: 20 * second },
    "reporting",
    "no batch since Loom was restarted 20 s ago, usual gap 30 s",
  ],
  [
    "that was silent before the restart already",
    { ...regular, lastBatchAgoMs: 2 * hour, listenedMs: hour, startedAgoMs: 20 * second },
    "quiet",
    "last batch 2 h ago, 60 min of it without Loom running, usual gap 30 s; a sensor that receives no traffic sends nothing",
  ],
  [
    "that died long before the restart",
    { ...regular, lastBatchAgoMs: 4 * hour, listenedMs: 3 * hour, startedAgoMs: 20 * second },
    "silent",
    "last batch 4 h ago, 60 min of it without Loom running, usual gap 30 s; a sensor that receives no traffic sends nothing",
  ],
  [
    "that sent one batch",
    { ...neverSeen, lastBatchAgoMs: 1 * second },
    "reporting",
    "usual gap not known yet",
  ],
  [
    "with tenths of a second in its times, which its note leaves out,",
    { ...regular, usualGapMs: 1_300, lastBatchAgoMs: 121.4 * second },
    "quiet",
    "last batch 2 min ago, usual gap 1 s; a sensor that receives no traffic sends nothing",
  ],
  [
    "that is silent for quiet_after_seconds at most",
    { ...regular, usualGapMs: second, lastBatchAgoMs: 120 * second },
    "reporting",
    "usual gap 1 s",
  ],
  [
    "that is silent for five usual gaps at most",
    { ...regular, usualGapMs: 2 * minute, lastBatchAgoMs: 10 * minute },
    "reporting",
    "usual gap 2 min",
  ],
  [
    "that is silent for longer",
    { ...regular, usualGapMs: 2 * minute, lastBatchAgoMs: 14 * minute },
    "quiet",
    "last batch 14 min ago, usual gap 2 min; a sensor that receives no traffic sends nothing",
  ],
  [
    "that is silent for less than a day, with an unknown usual gap",
    { ...regular, gapCount: 4, usualGapMs: second, lastBatchAgoMs: 23 * hour },
    "reporting",
    "usual gap 1 s",
  ],
  [
    "that is silent for over a day, with an unknown usual gap",
    { ...regular, gapCount: 4, usualGapMs: second, lastBatchAgoMs: 25 * hour },
    "quiet",
    "last batch 25 h ago, usual gap 1 s; a sensor that receives no traffic sends nothing",
  ],
  [
    "that is silent for over two days, with an unknown usual gap",
    { ...regular, gapCount: 4, usualGapMs: second, lastBatchAgoMs: 49 * hour },
    "silent",
    "last batch 2 d ago, usual gap 1 s; a sensor that receives no traffic sends nothing",
  ],
  [
    "that usually sends every 30 s and has not for an hour",
    { ...regular, lastBatchAgoMs: 60 * minute },
    "quiet",
    "last batch 60 min ago, usual gap 30 s; a sensor that receives no traffic sends nothing",
  ],
  [
    "that usually sends every 30 s and has not for longer",
    { ...regular, lastBatchAgoMs: 61 * minute },
    "silent",
    "last batch 61 min ago, usual gap 30 s; a sensor that receives no traffic sends nothing",
  ],
  [
    "that usually sends every hour and has not for ten hours",
    { ...regular, usualGapMs: hour, lastBatchAgoMs: 10 * hour },
    "quiet",
    "last batch 10 h ago, usual gap 60 min; a sensor that receives no traffic sends nothing",
  ],
  [
    "that usually sends twice a day",
    { ...regular, usualGapMs: 12 * hour, lastBatchAgoMs: 40 * hour },
    "reporting",
    "usual gap 12 h",
  ],
  [
    "over the rate limit, whose last request was refused,",
    { ...regular, loss, lastRefusal: refused(10 * second, "rate_limit_exceeded") },
    "losing",
    lossNote,
  ],
  [
    "over the rate limit, whose last request was kept,",
    { ...regular, loss, lastRefusal: refused(30 * second, "rate_limit_exceeded") },
    "losing",
    lossNote,
  ],
  [
    "of which some batches are too large",
    { ...regular, loss: tooLarge, lastRefusal: refused(10 * second) },
    "losing",
    "≈ 43 % lost: its bodies are too large; 300 of 700 requests were refused in the last 5 min",
  ],
  [
    "of which every batch has been too large for a minute",
    {
      ...regular,
      lastBatchAgoMs: 70 * second,
      loss: { ...tooLarge, firstRefusedAgoMs: minute },
      lastRefusal: refused(5 * second),
    },
    "refused",
    "the last request, 5 s ago, was refused: payload_too_large; last batch 70 s ago, usual gap 30 s",
  ],
  [
    "over the rate limit, of which no batch was ever kept,",
    {
      ...neverSeen,
      loss: { ...loss, keptRequests: 0, keptEvents: 0, share: 1 },
      lastRefusal: refused(5 * second, "rate_limit_exceeded"),
    },
    "refused",
    "the last request, 5 s ago, was refused: rate_limit_exceeded; no batch kept since Loom started",
  ],
  [
    "that exceeded the rate limit more than five minutes ago",
    { ...regular, lastRefusal: refused(6 * minute, "rate_limit_exceeded") },
    "reporting",
    "usual gap 30 s",
  ],
  [
    "that exceeded the rate limit and is silent since",
    { ...regular, lastBatchAgoMs: 7 * minute, lastRefusal: refused(6 * minute, "rate_limit_exceeded") },
    "quiet",
    "last batch 7 min ago, usual gap 30 s; a sensor that receives no traffic sends nothing",
  ],
  [
    "that exceeded the rate limit and never sent a batch",
    { ...neverSeen, lastRefusal: refused(6 * minute, "rate_limit_exceeded") },
    "refused",
    "the last request, 6 min ago, was refused: rate_limit_exceeded; no batch kept since Loom started",
  ],
  [
    "whose last request was refused",
    { ...regular, lastBatchAgoMs: 14 * minute, lastRefusal: refused(3 * minute) },
    "refused",
    "the last request, 3 min ago, was refused: payload_too_large; last batch 14 min ago, usual gap 30 s",
  ],
  [
    "that was refused and sent a batch since",
    { ...regular, lastRefusal: refused(3 * minute) },
    "reporting",
    "usual gap 30 s",
  ],
  [
    "of which every request was refused",
    { ...neverSeen, lastRefusal: refused(3 * minute, "invalid_request") },
    "refused",
    "the last request, 3 min ago, was refused: invalid_request; no batch kept since Loom started",
  ],
  [
    "without any batch, whose id another client claims",
    { ...neverSeen, lastUnauthorizedClaim: claim(5 * second) },
    "refused",
    "requests with its id but not its token are refused, the last 5 s ago; no batch kept since Loom started",
  ],
  [
    "that is overdue, whose id another client claims",
    { ...regular, lastBatchAgoMs: 90 * second, lastUnauthorizedClaim: claim(5 * second) },
    "refused",
    "requests with its id but not its token are refused, the last 5 s ago; last batch 90 s ago, usual gap 30 s",
  ],
  [
    "that sends regularly, whose id another client claims",
    { ...regular, lastUnauthorizedClaim: claim(5 * second) },
    "reporting",
    "usual gap 30 s; requests with its id but not its token are refused, the last 5 s ago",
  ],
  [
    "whose id another client claimed before its last batch",
    { ...regular, lastUnauthorizedClaim: claim(30 * second) },
    "reporting",
    "usual gap 30 s",
  ],
];

describe("a sensor", () => {
  for (const [what, facts, state, note] of cases)
    test(`${what} is ${state}`, () => {
      expect(
        stateOfSensor({ ...facts, listenedMs: facts.listenedMs ?? facts.lastBatchAgoMs }, quietAfterMs),
      ).toEqual({ state, note });
    });
});

describe("a clock", () => {
  for (const [seconds, isOff] of [
    [undefined, false],
    [3, false],
    [300, false],
    [301, true],
    [-301, true],
  ] as const)
    test(`that is ${seconds} s behind is ${isOff ? "off" : "not off"}`, () => {
      expect(isClockOff(seconds)).toBe(isOff);
    });
});
