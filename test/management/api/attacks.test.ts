import { describe, expect, test } from "bun:test";
import type { AttacksAnswer } from "../../../server/management/api/answers.ts";
import { createAttacksApi } from "../../../server/management/api/attacks.ts";
import { AttackRollups } from "../../../server/monitoring/rollups/attack-rollups.ts";
import { createSampled } from "../../monitoring/sampled.ts";
import { getJson, getStatus } from "../../support/api.ts";
import { chronicleOf, createWoundClock } from "../../support/wound-clock.ts";

function attacks() {
  const clock = createWoundClock();
  const rollups = new AttackRollups(chronicleOf(clock));
  const api = createAttacksApi({ rollups, now: clock.now, monotonic: clock.monotonic });
  return { clock, rollups, api, examined: createSampled() };
}

describe("the answer", () => {
  test("has the most frequent values of every field, their names, and the number of others", async () => {
    const { api, rollups, examined, clock } = attacks();
    const beganAt = clock.now();
    const common = { countryIsoCode: "SE", countryName: "Sweden", asNumber: 1221, asOrganizationName: "Net" };
    rollups.note(examined({ ...common, port: 22, address: "192.0.2.1", hassh: "abc" }));
    rollups.note(
      examined({
        ...common,
        number: 5,
        port: 80,
        path: "/.env",
        userAgent: "zgrab",
        cityName: "Linköping",
        location: { lat: 58.41, lon: 15.62 },
      }),
    );
    clock.advance(1000);
    const entry = (key: string, count = 1, label: string | null = null) => ({ key, label, count });
    expect(await getJson<AttacksAnswer>(api, "/api/v1/attacks?window=5m")).toEqual({
      now: clock.now(),
      window: "5m",
      sinceAt: beganAt,
      isWhole: false,
      pauses: [],
      kept: 5,
      examined: 2,
      countries: { entries: [entry("SE", 2, "Sweden")], other: 0, none: 0 },
      networks: { entries: [entry("1221", 2, "Net")], other: 0, none: 0 },
      addresses: { entries: [entry("192.0.2.1")], other: 0, none: 1 },
      ports: { entries: [entry("22"), entry("80")], other: 0, none: 0 },
      paths: { entries: [entry("/.env")], other: 0, none: 1 },
      userAgents: { entries: [entry("zgrab")], other: 0, none: 1 },
      fingerprints: { entries: [entry("hassh:abc")], other: 0, none: 1 },
      places: [
        { location: null, city: null, countryIsoCode: "SE", count: 1, isNew: false },
        {
          location: { lat: 58.41, lon: 15.62 },
          city: "Linköping",
          countryIsoCode: "SE",
          count: 1,
          isNew: false,
        },
      ],
      otherPlaces: 0,
      notLocated: 0,
    });
  });

  test("lists at most 50 values and counts the others", async () => {
    const { api, rollups, examined } = attacks();
    for (let port = 0; port < 80; port++) rollups.note(examined({ port }));
    const { ports } = await getJson<AttacksAnswer>(api, "/api/v1/attacks?window=5m");
    expect(ports.entries).toHaveLength(50);
    expect(ports.other).toBe(30);
  });

  test("covers an hour by default", async () => {
    const { api } = attacks();
    expect((await getJson<AttacksAnswer>(api, "/api/v1/attacks")).window).toBe("1h");
    expect((await getJson<AttacksAnswer>(api, "/api/v1/attacks?window=24h")).window).toBe("24h");
  });

  test("is shared for a second", async () => {
    const { api, rollups, examined, clock } = attacks();
    const count = async () => (await getJson<AttacksAnswer>(api, "/api/v1/attacks?window=5m")).examined;
    expect(await count()).toBe(0);
    rollups.note(examined());
    expect(await count()).toBe(0);
    clock.advance(1000);
    expect(await count()).toBe(1);
  });
});

for (const query of ["?window=", "?window=8d", "?window=5m&window=1h", "?window=__proto__", "?window=5M"])
  test(`${query} is an invalid request`, async () => {
    expect(await getStatus(attacks().api, `/api/v1/attacks${query}`)).toBe(400);
  });
