/** A document's text parsed; undefined for what is no JSON. Numbers past 2^53 lose digits here: `raw` texts keep them. */
export function parsedDocument(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    // shown as text alone
    return undefined;
  }
}

/** A member by its path, own properties only: documents are an attacker's in part. */
export function memberOf(document: unknown, ...path: readonly string[]): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

export function textOf(document: unknown, ...path: readonly string[]): string | undefined {
  const value = memberOf(document, ...path);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** What an event was, in one line: a request, else the payload's first words, else a name of the protocol. */
export function summaryOf(document: unknown): string {
  const path = textOf(document, "url", "path");
  if (path !== undefined) {
    const method = textOf(document, "http", "request", "method") ?? "";
    const agent = textOf(document, "user_agent", "original");
    return `${method} ${path}${agent === undefined ? "" : `  ${agent}`}`.trim();
  }
  const summary = textOf(document, "event", "summary") ?? textOf(document, "message");
  if (summary !== undefined) return summary;
  const hassh = textOf(document, "ssh", "client", "hash", "hassh");
  if (hassh !== undefined) return `SSH ${hassh}`;
  const ja4 = textOf(document, "tls", "client", "hash", "ja4");
  if (ja4 !== undefined) return `TLS ${ja4}`;
  return textOf(document, "network", "protocol") ?? textOf(document, "network", "transport") ?? "";
}
