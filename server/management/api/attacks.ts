import { Elysia } from "elysia";
import type { AttackRollups } from "../../monitoring/rollups/attack-rollups.ts";
import type { Place } from "../../monitoring/rollups/attack-slice.ts";
import type { Counted, TopCounts } from "../../monitoring/rollups/top-counts.ts";
import type { AttackPlace, AttacksAnswer, AttackWindow, TopList } from "./answers.ts";
import { errorAnswer, jsonAnswer } from "./json-answer.ts";
import { sharedAnswer, sharedForMs } from "./shared-answer.ts";

export interface AttacksApiOptions {
  readonly rollups: AttackRollups;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds, monotonic. */
  readonly monotonic?: () => number;
}

const maxListed = 50;
const maxListedPlaces = 300;

const defaultWindow: AttackWindow = "1h";
const windows: readonly AttackWindow[] = ["5m", "1h", "24h", "7d", "30d"];

/** `GET /api/v1/attacks?window=5m|1h|24h|7d|30d` */
export function createAttacksApi({ rollups, now = Date.now, monotonic }: AttacksApiOptions) {
  const shared = (window: AttackWindow) =>
    sharedAnswer(() => attacksAnswer(rollups, window, now()), sharedForMs, monotonic);
  const answers = new Map<string, () => string>(windows.map((window) => [window, shared(window)]));
  return new Elysia({ strictPath: true }).get("/api/v1/attacks", ({ request }) => {
    const [window = defaultWindow, ...others] = new URL(request.url).searchParams.getAll("window");
    const answer = others.length === 0 ? answers.get(window) : undefined;
    return answer ? jsonAnswer(answer()) : errorAnswer("invalid_request");
  });
}

function attacksAnswer(rollups: AttackRollups, window: AttackWindow, now: number): AttacksAnswer {
  const { sinceAt, isWhole, pauses, counts, isNewPlace } = rollups.read(window);
  const places = counts.places.top(maxListedPlaces);
  return {
    now,
    window,
    sinceAt,
    isWhole,
    pauses,
    kept: counts.kept,
    examined: counts.sampled,
    countries: topList(counts.countries),
    networks: topList(counts.networks),
    addresses: topList(counts.addresses),
    ports: topList(counts.ports),
    paths: topList(counts.paths),
    userAgents: topList(counts.userAgents),
    fingerprints: topList(counts.fingerprints),
    places: places.listed.map((place) => attackPlace(place, isNewPlace(place.key))),
    otherPlaces: places.other,
    notLocated: counts.places.none,
  };
}

function topList(counts: TopCounts<string | undefined>): TopList {
  const { listed, other } = counts.top(maxListed);
  const entries = listed.map(({ key, label, count }) => ({ key: String(key), label: label ?? null, count }));
  return { entries, other, none: counts.none };
}

function attackPlace({ label, count }: Counted<Place>, isNew: boolean): AttackPlace {
  return {
    location: label.location ?? null,
    city: label.city ?? null,
    countryIsoCode: label.countryIsoCode ?? null,
    count,
    isNew,
  };
}
