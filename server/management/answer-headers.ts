/**
 * Nothing but the page's own files, no inline script, nothing that a document of an event could smuggle in, and no
 * frame around it. Forms don't leave the page.
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

/** Adds what every answer of the management port has. */
export function addSecurityHeaders({ headers }: Response): void {
  for (const [name, value] of Object.entries(securityHeaders)) headers.set(name, value);
}
