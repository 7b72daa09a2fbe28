/** The parsed document; undefined if the text is not JSON. Numbers above 2^53 lose digits here, but not in the raw text. */
export function parsedDocument(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    // The page then shows only the text.
    return undefined;
  }
}

/** A member by its path. Only own properties count, because parts of a document are written by an attacker. */
export function memberOf(document: unknown, ...path: readonly string[]): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** The same for a string that is not empty. */
export function textOf(document: unknown, ...path: readonly string[]): string | undefined {
  const value = memberOf(document, ...path);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** An event in one line: its request, otherwise the start of its payload, otherwise a fingerprint or the protocol. */
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
