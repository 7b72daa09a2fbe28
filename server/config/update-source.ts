import { type Kind, showAddress, text } from "./kind.ts";

/** Where a database is downloaded from. */
export type UpdateSource =
  | { readonly kind: "maxmind"; readonly edition: string }
  | { readonly kind: "dbip"; readonly edition: DbipEdition }
  /** The URL may contain a secret in its query. */
  | { readonly kind: "url"; readonly url: string };

const dbipEditions = ["city-lite", "country-lite", "asn-lite"] as const;
export type DbipEdition = (typeof dbipEditions)[number];

/** "maxmind:GeoLite2-City", "dbip:city-lite", or a URL. */
export const updateSource: Kind<UpdateSource> = text(
  '"maxmind:<edition>", such as "maxmind:GeoLite2-City"; "dbip:city-lite", "dbip:country-lite", "dbip:asn-lite"; or a URL with http or https, without user and password',
  (value, refuse) => {
    const [, edition] = /^maxmind:([A-Za-z0-9][A-Za-z0-9-]{0,63})$/.exec(value) ?? [];
    if (edition !== undefined) return { kind: "maxmind", edition };
    const dbip = dbipEditions.find((name) => value === `dbip:${name}`);
    if (dbip !== undefined) return { kind: "dbip", edition: dbip };
    if (!isHttpUrl(value)) return refuse();
    return { kind: "url", url: withoutCredentials(value, refuse) };
  },
  showAddress,
);

/** The address of a server without a path at its end: "https://download.maxmind.com". */
export const serverAddress: Kind<string> = text(
  'a URL with http or https, without credentials, "?" and "#"',
  (value, refuse) => {
    if (!isHttpUrl(value) || /[?#]/.test(value)) return refuse();
    return withoutCredentials(value, refuse).replace(/\/+$/, "");
  },
  showAddress,
);

function isHttpUrl(value: string): boolean {
  return /^https?:\/\/[^\s\p{C}]{1,2000}$/iu.test(value) && URL.canParse(value);
}

function withoutCredentials(value: string, refuse: (reason: string) => never): string {
  const { username, password } = new URL(value);
  return username === "" && password === "" ? value : refuse("it contains credentials");
}
