import { hostname } from "node:os";
import type { ListenAddress } from "../../config/config.ts";

/** The address of the management port. */
export interface ManagementOrigin {
  readonly address: ListenAddress;
  /** The actual port, also if port 0 is configured. */
  readonly port: number;
  readonly isTls: boolean;
}

/** The token follows "#": browsers do not send this part, so no server, proxy or access log receives it. */
export function signInLink(origin: ManagementOrigin, token: string): string {
  const scheme = origin.isTls ? "https" : "http";
  return `${scheme}://${hostOf(origin.address)}:${origin.port}/sign-in#${token}`;
}

function hostOf({ host }: ListenAddress): string {
  if (host === undefined || host === "0.0.0.0" || host === "::") return hostname();
  return host.includes(":") ? `[${host}]` : host;
}
