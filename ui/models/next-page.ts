/**
 * Where to go after signing in: the `next` of the sign-in page's address, when it is a page of this dashboard.
 * Whatever could lead elsewhere ("//host", "\\host", "javascript:") is the first page instead.
 */
export function nextPage(search: string, origin: string): string {
  const next = new URLSearchParams(search).get("next") ?? "/";
  try {
    const url = new URL(next, origin);
    const isHere = url.origin === origin && next.startsWith("/") && !url.pathname.startsWith("/sign-in");
    return isHere ? url.pathname + url.search : "/";
  } catch {
    // no address at all
    return "/";
  }
}
