import type { UpdatesConfig } from "../../config/config.ts";
import type { UpdateSource } from "../../config/update-source.ts";
import { authorizationOf, secretsOf } from "../../http/credentials.ts";

/** One address of a database, and what is known of the file there. */
export interface DownloadTarget {
  readonly url: string;
  readonly authorization: string | undefined;
  /** The address of its SHA-256 sum; undefined: there is none. */
  readonly checksumUrl: string | undefined;
  /** True: the file at this address never changes. */
  readonly isFixed: boolean;
  /** What must not be in an error, the longest first. */
  readonly secrets: readonly string[];
}

type Servers = Pick<UpdatesConfig, "maxmindUrl" | "dbipUrl" | "maxmindAccount">;

/**
 * The addresses of a database. They are tried in order until there is one that exists.
 *
 * - MaxMind: https://dev.maxmind.com/geoip/updating-databases/#directly-downloading-databases
 * - DB-IP: a file for each month, which appears in the first days of it (https://db-ip.com/db/lite.php)
 */
export function downloadTargets(
  source: UpdateSource,
  { maxmindUrl, dbipUrl, maxmindAccount }: Servers,
  now: Date,
): readonly DownloadTarget[] {
  switch (source.kind) {
    case "maxmind": {
      const credentials = { user: maxmindAccount?.accountId, password: maxmindAccount?.licenseKey };
      const url = `${maxmindUrl}/geoip/databases/${source.edition}/download?suffix=tar.gz`;
      const authorization = authorizationOf(credentials);
      const secrets = secretsOf(credentials);
      return [{ url, authorization, checksumUrl: `${url}.sha256`, isFixed: false, secrets }];
    }
    case "dbip": {
      const months = [0, -1].map((offset) => monthOf(now, offset));
      const urls = months.map((month) => `${dbipUrl}/dbip-${source.edition}-${month}.mmdb.gz`);
      return urls.map((url) => ({ ...withoutAccount, url, isFixed: true, secrets: [] }));
    }
    case "url": {
      const { searchParams } = new URL(source.url);
      const secrets = [...searchParams.values()].filter((value) => value.length > 3);
      return [{ ...withoutAccount, url: source.url, isFixed: false, secrets: [source.url, ...secrets] }];
    }
  }
}

const withoutAccount = { authorization: undefined, checksumUrl: undefined };

/** As in the configuration, but without the query of a URL, which may contain a secret. */
export function describeSource(source: UpdateSource): string {
  if (source.kind !== "url") return `${source.kind}:${source.edition}`;
  const { origin, pathname } = new URL(source.url);
  return `${origin}${pathname}`;
}

/** "2026-08"; in UTC. */
function monthOf(now: Date, offset: number): string {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1)).toISOString().slice(0, 7);
}
