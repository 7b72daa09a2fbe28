import type { SetupAnswer } from "../../server/management/api/answers.ts";

const tokenBytes = 24;

/**
 * True for letters, digits and "-": such an id is valid in the token file, in a variable's name, in a shell and in TOML.
 * Loom reserves "unknown".
 */
export function isUsableId(id: string): boolean {
  return id !== "unknown" && /^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}$/.test(id);
}

/** An id that no sensor has yet, to begin with: "vps-1", "vps-2", … */
export function freeId(existing: ReadonlySet<string>): string {
  let number = 1;
  while (existing.has(`vps-${number}`)) number++;
  return `vps-${number}`;
}

/** A random token like that of `openssl rand -hex 24`. It never leaves the page. */
export function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(tokenBytes));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The address that sensors send to. The host is that of this page's address, unless Loom listens on a single address. */
export function ingestUrl({ ingest }: SetupAnswer, pageHost: string): string {
  const host = ingest.host ?? pageHost;
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return `${ingest.isTls ? "https" : "http"}://${name}:${ingest.port}/api/v1/ingest`;
}

export interface SensorSnippets {
  /** For Spip's config.toml. */
  readonly spip: string;
  /** For Loom's environment, where `-` is written as `_`. */
  readonly environment: string;
  /** For Loom's token file. */
  readonly tokenLine: string;
  readonly curl: string;
}

/** The texts to paste for a new sensor. */
export function sensorSnippets(
  setup: SetupAnswer,
  pageHost: string,
  id: string,
  token: string,
): SensorSnippets {
  const url = ingestUrl(setup, pageHost);
  const isUntrusted = setup.ingest.isTls && setup.ingest.isCertificateSelfSigned;
  const spip = [
    "[loom]",
    "enabled = true",
    `url = "${url}"`,
    `sensor_id = "${id}"`,
    `token = "${token}"`,
    `insecure_skip_verify = ${isUntrusted}`,
  ];
  const curl = [
    `curl -i${isUntrusted ? "k" : ""} ${url}`,
    `-H 'Authorization: Bearer ${token}'`,
    `-H 'X-Spip-ID: ${id}'`,
    "-H 'Content-Type: application/json'",
    `-d '[{"source":{"ip":"81.2.69.142"},"destination":{"port":23},"event":{"summary":"hello"}}]'`,
  ];
  return {
    spip: spip.join("\n"),
    environment: `LOOM_SENSOR_${id.replaceAll("-", "_")}=${token}`,
    tokenLine: `${token},${id}`,
    curl: curl.join(" \\\n  "),
  };
}
