/**
 * True for a request that a page of another site or port has a browser send. Browsers say so in Sec-Fetch-Site where
 * they trust the connection (TLS, loopback), else Origin tells; without either it is no browser. The same rule as Go's
 * http.CrossOriginProtection.
 */
export function isCrossSite({ headers }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = headers.get("origin");
  if (origin === null) return false;
  return !URL.canParse(origin) || new URL(origin).host !== headers.get("host")?.toLowerCase();
}
