import { pages } from "../../ui/page-list.ts";

/** The paths of the dashboard. The server answers all of them with the same HTML, whose router then reads the path. */
export const pagePaths: readonly string[] = pages.map(({ path }) => path);

export const signInPath = "/sign-in";

/** Some proxies refuse a redirect to a longer address. */
const maxNextLength = 1024;

/** The address of the sign-in page, which leads back to `pathAndQuery`. */
export function signInRedirect(pathAndQuery: string): string {
  if (pathAndQuery === "/" || pathAndQuery.length > maxNextLength) return signInPath;
  return `${signInPath}?next=${encodeURIComponent(pathAndQuery)}`;
}
