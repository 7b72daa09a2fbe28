/*
 * Writes ui/map/country-centres.json: `bun scripts/country-centres.ts`.
 *
 * The map shows an event at the centre of its country if the city is not known. The centre is that of the country's largest
 * part in Natural Earth's borders (world-atlas, public domain); the ISO 3166-1 codes are from i18n-iso-countries (MIT).
 */
import { join } from "node:path";
import { geoArea, geoCentroid } from "d3-geo";
import { numericToAlpha2 } from "i18n-iso-countries";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import atlas from "world-atlas/countries-50m.json" with { type: "json" };

const world = atlas as unknown as Topology<{ countries: GeometryCollection }>;

const centres: Record<string, [lon: number, lat: number]> = {};
for (const { id, geometry } of feature(world, world.objects.countries).features) {
  const code = id === undefined ? undefined : numericToAlpha2(id);
  if (code === undefined) continue;
  const parts =
    geometry.type === "MultiPolygon"
      ? geometry.coordinates.map((coordinates) => ({ type: "Polygon" as const, coordinates }))
      : [geometry];
  const [largest] = parts.toSorted((a, b) => geoArea(b) - geoArea(a));
  if (!largest) continue;
  const [lon, lat] = geoCentroid(largest);
  // A few codes have more than one feature. The first one is the country itself.
  centres[code] ??= [round(lon), round(lat)];
}

const lines = Object.entries(centres)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([code, [lon, lat]]) => `  "${code}": [${lon}, ${lat}]`);
await Bun.write(join(import.meta.dir, "../ui/map/country-centres.json"), `{\n${lines.join(",\n")}\n}\n`);
console.log(`${lines.length} countries`);

function round(degrees: number): number {
  return Math.round(degrees * 10) / 10;
}
