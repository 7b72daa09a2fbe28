import { hostname } from "node:os";
import type { ListenAddress } from "../../config/config.ts";

/** Where the management port is, as its listener knows it. */
export interface ManagementOrigin {
  readonly address: ListenAddress;
  /** The real one, where port 0 asked for any. */
  readonly port: number;
  readonly isTls: boolean;
}

/** The token stands behind "#", which browsers keep to themselves: no server, proxy or log gets to see it. */
export function signInLink(origin: ManagementOrigin, token: string): string {
  const scheme = origin.isTls ? "https" : "http";
  return `${scheme}://${hostOf(origin.address)}:${origin.port}/sign-in#${token}`;
}

function hostOf({ host }: ListenAddress): string {
  if (host === undefined || host === "0.0.0.0" || host === "::") return hostname();
  return host.includes(":") ? `[${host}]` : host;
}
