/**
 * The page may load only its own files. Inline scripts, frames around the page and forms that leave it are forbidden, so that
 * nothing in an event's document can run in the page.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const securityHeaders = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

/** Adds the headers that every answer of the management port has. */
export function addSecurityHeaders({ headers }: Response): void {
  for (const [name, value] of Object.entries(securityHeaders)) headers.set(name, value);
}
