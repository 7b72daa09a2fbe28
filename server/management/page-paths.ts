/** The paths of the dashboard, all answered with the one page, whose router reads them again. */
export const pagePaths = [
  "/",
  "/sensors",
  "/sensors/add",
  "/sensors/:id",
  "/refusals",
  "/tail",
  "/attacks",
  "/enrichment",
  "/outputs",
] as const;

export const signInPath = "/sign-in";

/** A longer one would make a redirect that some proxies refuse. */
const maxNextLength = 1024;

/** Where to sign in and come back from to `pathAndQuery`. */
export function signInRedirect(pathAndQuery: string): string {
  if (pathAndQuery === "/" || pathAndQuery.length > maxNextLength) return signInPath;
  return `${signInPath}?next=${encodeURIComponent(pathAndQuery)}`;
}
