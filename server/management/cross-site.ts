/**
 * True for a request that a browser sends for a page of another site or port. Browsers say so in Sec-Fetch-Site on
 * connections that they trust (TLS, loopback), and in Origin otherwise. A request with neither header is not from a browser.
 * Go's http.CrossOriginProtection uses the same rule.
 */
export function isCrossSite({ headers }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = headers.get("origin");
  if (origin === null) return false;
  return !URL.canParse(origin) || new URL(origin).host !== headers.get("host")?.toLowerCase();
}
