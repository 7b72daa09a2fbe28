import manifest from "../../../package.json" with { type: "json" };

/** Where a database inside the executable is from. */
export interface BuiltinSource {
  /** The `database_type` of its metadata. */
  readonly type: string;
  /** What it tells of an address: "countries". */
  readonly content: string;
  readonly builtAt: Date;
  /** Who made the data. */
  readonly makers: string;
  readonly licence: string;
  /** The makers and the licence, as the licence requires them to be named. */
  readonly description: string;
}

const country = {
  type: "Loom-Country",
  content: "countries",
  builtAt: dateIn(manifest.devDependencies["@ip-location-db/geo-whois-asn-country-mmdb"]),
  makers: "ip-location-db (geo-whois-asn-country)",
  licence: "CC0 1.0",
};
const asn = {
  type: "Loom-ASN",
  content: "networks",
  builtAt: dateIn(manifest.devDependencies["@ip-location-db/asn"]),
  makers: "RouteViews, the NRO and DB-IP (https://db-ip.com), merged by ip-location-db",
  licence: "CC BY 4.0",
};

export const builtinSources: Readonly<Record<"country" | "asn", BuiltinSource>> = {
  country: { ...country, description: `${country.makers}, ${country.licence}` },
  asn: { ...asn, description: `${asn.makers}, ${asn.licence}` },
};

/** @param role of the databases of countries ("geoip"), or of networks */
export function builtinSourceOf(role: "geoip" | "asn"): BuiltinSource {
  return builtinSources[role === "geoip" ? "country" : "asn"];
}

/** @param packageVersion ends with the date of the data, to the hour (UTC): "2.3.2026061719" */
function dateIn(packageVersion: string): Date {
  const [, year, month, day, hour] = /\.(\d{4})(\d\d)(\d\d)(\d\d)$/.exec(packageVersion) ?? [];
  return new Date(Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour)));
}
