import { describe, expect, test } from "bun:test";
import type { RefusedRequest } from "../../../server/ingest/refusal.ts";
import { SensorLoss } from "../../../server/monitoring/sensors/sensor-loss.ts";
import { createWoundClock } from "../../support/wound-clock.ts";

const refused: RefusedRequest = {
  reason: "unauthorized",
  sensorId: "unknown",
  claimedId: null,
  client: undefined,
  detail: undefined,
  events: { count: 5, isEstimate: true },
};

describe("a sensor loses", () => {
  test("the events of refused requests with its token", () => {
    const loss = new SensorLoss(createWoundClock());
    loss.noteKept("vps-1", 15);
    loss.noteRefused({ ...refused, reason: "invalid_request", sensorId: "vps-1" });
    expect(loss.of("vps-1")).toMatchObject({ share: 0.25, reason: "invalid_request" });
    expect(loss.of("vps-2")).toBeUndefined();
  });

  test("those of requests with its token and another X-Spip-ID", () => {
    const loss = new SensorLoss(createWoundClock());
    loss.noteRefused({ ...refused, tokenSensorId: "vps-1", claimedId: "vps-9" });
    expect(loss.of("vps-1")).toMatchObject({ share: 1, reason: "unauthorized" });
  });

  test("nothing by requests that only claim its id", () => {
    const loss = new SensorLoss(createWoundClock());
    loss.noteRefused({ ...refused, claimedId: "vps-1" });
    expect(loss.of("vps-1")).toBeUndefined();
  });

  test("nothing by a refused request without events", () => {
    const loss = new SensorLoss(createWoundClock());
    loss.noteRefused({ ...refused, sensorId: "vps-1", events: { count: 0, isEstimate: false } });
    expect(loss.of("vps-1")).toBeUndefined();
  });

  test("nothing more after five minutes without a refusal, although the wall clock is set back", () => {
    const clock = createWoundClock();
    const loss = new SensorLoss(clock);
    loss.noteRefused({ ...refused, sensorId: "vps-1" });
    clock.advance(311_000);
    clock.setWall(0);
    expect(loss.of("vps-1")).toBeUndefined();
  });
});
