import { type GeoPermissibleObjects, geoEqualEarth, geoPath } from "d3-geo";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import atlas from "world-atlas/countries-110m.json";
import centres from "./country-centres.json";

/** The size of the drawing in its own units; the page scales it. */
export const mapWidth = 960;
export const mapHeight = 430;

const world = atlas as unknown as Topology<{ countries: GeometryCollection; land: GeometryCollection }>;
// Antarctica is left out: it would take a sixth of the map.
const frame: GeoPermissibleObjects = {
  type: "MultiPoint",
  coordinates: [
    [-180, 0],
    [180, 0],
    [0, 84],
    [0, -57],
  ],
};
const projection = geoEqualEarth().fitSize([mapWidth, mapHeight], frame);
const pathOf = geoPath(projection).digits(1);

/** The land and the borders between countries, as SVG path data. */
export const landPath = pathOf(feature(world, world.objects.land)) ?? "";
export const borderPath = pathOf(mesh(world, world.objects.countries, (a, b) => a !== b)) ?? "";

export interface PointOnMap {
  readonly x: number;
  readonly y: number;
}

/** The point of a place, or else of its country's centre; undefined if neither is known. */
export function pointOf(
  location: { readonly lat: number; readonly lon: number } | null,
  countryIsoCode: string | null,
): PointOnMap | undefined {
  const at: [number, number] | undefined = location ? [location.lon, location.lat] : centreOf(countryIsoCode);
  const point = at && projection(at);
  return point ? { x: point[0], y: point[1] } : undefined;
}

function centreOf(countryIsoCode: string | null): [number, number] | undefined {
  if (countryIsoCode === null || !Object.hasOwn(centres, countryIsoCode)) return undefined;
  const [lon, lat] = (centres as unknown as Record<string, number[]>)[countryIsoCode] ?? [];
  return lon === undefined || lat === undefined ? undefined : [lon, lat];
}
