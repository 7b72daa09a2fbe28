import type { AttackPlace } from "../../server/management/api/answers.ts";
import { formatCount, formatThings } from "../format/numbers.ts";
import { printable } from "../format/printable.ts";
import { borderPath, landPath, mapHeight, mapWidth, type PointOnMap, pointOf } from "../map/world.ts";

const minRadius = 2;
const maxRadius = 16;

interface PlacedPoint extends PointOnMap {
  readonly place: AttackPlace;
  readonly radius: number;
}

export interface WorldMapProps {
  readonly places: readonly AttackPlace[];
  readonly otherPlaces: number;
  readonly notLocated: number;
}

/** A map with a point at each place of a source. Its area shows the number of events; a new place is white with a ring. */
export function WorldMap({ places, otherPlaces, notLocated }: WorldMapProps) {
  const most = Math.max(1, ...places.map(({ count }) => count));
  const points: PlacedPoint[] = [];
  let unplaced = 0;
  // Large points first, so that small ones are drawn over them.
  for (const place of places.toSorted((a, b) => b.count - a.count)) {
    const point = pointOf(place.location, place.countryIsoCode);
    if (point)
      points.push({
        ...point,
        place,
        radius: Math.max(minRadius, Math.sqrt(place.count / most) * maxRadius),
      });
    else unplaced += place.count;
  }
  const located = places.reduce((sum, { count }) => sum + count, otherPlaces) - unplaced;
  return (
    <figure class="map">
      <svg
        viewBox={`0 0 ${mapWidth} ${mapHeight}`}
        role="img"
        aria-label={`World map: ${formatThings(located, "event")} from ${formatThings(points.length, "place")}. The lists below name the countries and networks.`}
      >
        <path class="land" d={landPath} />
        <path class="borders" d={borderPath} />
        {points.map(({ x, y, radius, place }) => (
          <circle
            key={keyOf(place)}
            cx={x.toFixed(1)}
            cy={y.toFixed(1)}
            r={radius.toFixed(1)}
            class={place.isNew ? "new" : undefined}
          >
            <title>
              {printable(
                `${nameOf(place)}: ${formatThings(place.count, "event")}${place.isNew ? ", new" : ""}`,
              )}
            </title>
          </circle>
        ))}
      </svg>
      <figcaption>
        <span>
          located: <strong>{formatCount(located)}</strong>
        </span>
        <span>
          not located: <strong>{formatCount(notLocated + unplaced)}</strong>
        </span>
        {otherPlaces > 0 && (
          <span class="muted">{formatThings(otherPlaces, "located event")} at places not drawn</span>
        )}
        <span class="muted legend">
          <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
            <circle cx="6" cy="6" r="4" />
          </svg>{" "}
          seen before{" "}
          <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
            <circle cx="6" cy="6" r="4" class="new" />
          </svg>{" "}
          new in the last minute
        </span>
      </figcaption>
    </figure>
  );
}

function nameOf({ city, countryIsoCode, location }: AttackPlace): string {
  const names = [city, countryIsoCode].filter((name) => name !== null);
  if (names.length > 0) return names.join(", ");
  return location ? `${location.lat}, ${location.lon}` : "unknown place";
}

function keyOf({ location, city, countryIsoCode }: AttackPlace): string {
  return `${location?.lat} ${location?.lon} ${countryIsoCode} ${city}`;
}
