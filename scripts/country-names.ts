/*
 * Writes server/enrich/countries.json: `bun scripts/country-names.ts`.
 *
 * Codes and names are from i18n-iso-countries (MIT, after ISO 3166-1); the continents are those of GeoNames, which MaxMind's
 * databases use too. Where the name of ISO 3166-1 is not the common one, the name is the one in those databases, so
 * that events of both kinds can be counted together.
 */
import { join } from "node:path";
import { getAlpha2Codes } from "i18n-iso-countries";
import english from "i18n-iso-countries/langs/en.json" with { type: "json" };

const commonNames: Readonly<Record<string, string>> = {
  BN: "Brunei",
  CD: "DR Congo",
  CG: "Congo Republic",
  CI: "Ivory Coast",
  CN: "China",
  CV: "Cabo Verde",
  CZ: "Czechia",
  FK: "Falkland Islands",
  FM: "Federated States of Micronesia",
  GM: "The Gambia",
  IR: "Iran",
  LA: "Laos",
  MD: "Moldova",
  MF: "Saint Martin",
  MK: "North Macedonia",
  PN: "Pitcairn Islands",
  PS: "Palestine",
  RE: "Réunion",
  RU: "Russia",
  ST: "São Tomé and Príncipe",
  SX: "Sint Maarten",
  SY: "Syria",
  TW: "Taiwan",
  TZ: "Tanzania",
  US: "United States",
  VA: "Vatican City",
  VG: "British Virgin Islands",
  VI: "U.S. Virgin Islands",
};

// biome-ignore format: a table
const continents: Readonly<Record<string, string>> = {
  AF: "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW",
  AN: "AQ BV GS HM TF",
  AS: "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE",
  EU: "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK",
  NA: "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI",
  OC: "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS",
  SA: "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
};

const continentOf = new Map(
  Object.entries(continents).flatMap(([continent, codes]) =>
    codes.split(" ").map((code) => [code, continent] as const),
  ),
);
const isoNames: Readonly<Record<string, string | readonly string[]>> = english.countries;

const lines = Object.keys(getAlpha2Codes())
  .sort()
  .map((code) => {
    const [isoName] = [isoNames[code] ?? []].flat();
    const name = commonNames[code] ?? isoName;
    const continent = continentOf.get(code);
    if (name === undefined || continent === undefined) throw new Error(`no name or no continent for ${code}`);
    return `  "${code}": ["${continent}", ${JSON.stringify(name)}]`;
  });
await Bun.write(join(import.meta.dir, "../server/enrich/countries.json"), `{\n${lines.join(",\n")}\n}\n`);
console.log(`${lines.length} countries`);
