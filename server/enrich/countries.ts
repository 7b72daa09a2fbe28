import table from "./countries.json" with { type: "json" };

/** What is known of a country by its code. Names are in English. */
export interface Country {
  readonly name: string;
  readonly continentCode: string;
}

const continentNames: ReadonlyMap<string, string> = new Map([
  ["AF", "Africa"],
  ["AN", "Antarctica"],
  ["AS", "Asia"],
  ["EU", "Europe"],
  ["NA", "North America"],
  ["OC", "Oceania"],
  ["SA", "South America"],
]);
const countries: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(table));

/** @param isoCode ISO 3166-1: "SE"; XK is Kosovo */
export function countryOf(isoCode: string | undefined): Country | undefined {
  const [continentCode, name] = countries.get(isoCode ?? "") ?? [];
  return continentCode === undefined || name === undefined ? undefined : { name, continentCode };
}

/** @param code "EU" */
export function continentName(code: string | undefined): string | undefined {
  return continentNames.get(code ?? "");
}
