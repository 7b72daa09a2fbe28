/**
 * The address to go to after signing in: the `next` of the sign-in page's query if it is a page of this dashboard.
 * Anything that could lead elsewhere ("//host", "\\host", "javascript:") gives "/".
 */
export function nextPage(search: string, origin: string): string {
  const next = new URLSearchParams(search).get("next") ?? "/";
  try {
    const url = new URL(next, origin);
    const isHere = url.origin === origin && next.startsWith("/") && !url.pathname.startsWith("/sign-in");
    return isHere ? url.pathname + url.search : "/";
  } catch {
    // `next` is not an address.
    return "/";
  }
}
