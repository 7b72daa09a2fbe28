import { isIP } from "node:net";
import { type Network, parseNetwork } from "../network.ts";
import { type Refuse, showAddress, text } from "./kind.ts";

/** An address to listen on. `host` undefined means every interface, IPv4 and IPv6. */
export interface ListenAddress {
  /** As the operator wrote it, for logs: ":8443", "127.0.0.1:8080", "[::1]:8080". */
  readonly text: string;
  readonly host: string | undefined;
  readonly port: number;
}

/** A network, or a single address. */
export interface ConfiguredNetwork extends Network {
  /** As the operator wrote it: "198.51.100.0/24", "2001:db8::1". */
  readonly text: string;
}

/** ":8080", "127.0.0.1:8080", "[::1]:8080", "localhost:8080". Port 0 means any free port. */
export const listenAddress = text<ListenAddress>(
  '":port", "host:port" or "[IPv6]:port", with a port from 0 to 65535',
  (value, refuse) => {
    const { host, port } = split(value, refuse);
    if (host !== "") assertHost(host, refuse);
    return { text: value, host: host === "" ? undefined : host, port };
  },
);

/** The address of a DNS server. A name is not allowed: resolving it would need a DNS server. */
export const resolverAddress = text<string>(
  '"address:port" or "[IPv6]:port", with an IP address and a port from 1 to 65535',
  (value, refuse) => {
    const { host, port } = split(value, refuse);
    if (isIP(host) === 0) return refuse("the host is not an IP address");
    return port === 0 ? refuse() : value;
  },
);

/** A server to connect to, by address or name. */
export const hostAndPort = text<string>(
  '"host:port" or "[IPv6]:port", with a port from 1 to 65535',
  (value, refuse) => {
    const { host, port } = split(value, refuse);
    assertHost(host, refuse);
    return port === 0 ? refuse() : value;
  },
  showAddress,
);

/** The name of a host, in lower case. */
export const hostNameText = text<string>("a host name without a port", (value, refuse) =>
  hostName.test(value) && !endsInNumber.test(value) ? value.toLowerCase() : refuse(),
);

/** An address, or a network in CIDR notation. */
export const network = text<ConfiguredNetwork>(
  'an IP address, or a network such as "10.0.0.0/8" or "2001:db8::/32"',
  (value, refuse) => {
    const parsed = parseNetwork(value);
    return parsed.kind === "accepted" ? { text: value, ...parsed.value } : refuse(parsed.refusal);
  },
);

/** True when two servers cannot listen on both. Port 0 never conflicts: the system chooses a free port. */
export function isSameAddress(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return isWildcard(a) || isWildcard(b) || a.host?.toLowerCase() === b.host?.toLowerCase();
}

/** True when only this machine can reach the address. */
export function isLoopback({ host }: ListenAddress): boolean {
  if (host === undefined) return false;
  return /^(localhost|127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/i.test(host);
}

function isWildcard(address: ListenAddress): boolean {
  return address.host === undefined || address.host === "0.0.0.0" || address.host === "::";
}

/** The host without brackets, or "" when there is none, and the port. */
function split(value: string, refuse: Refuse): { host: string; port: number } {
  const colon = value.lastIndexOf(":");
  if (colon === -1) return refuse("no colon before the port");
  const port = /^\d{1,5}$/.test(value.slice(colon + 1)) ? Number(value.slice(colon + 1)) : -1;
  const host = value.slice(0, colon);
  if (isIP(value) === 6 || isIP(host) === 6) {
    return refuse('IPv6 needs brackets, as in "[::1]:8080"');
  }
  if (port < 0 || port > 65535) return refuse("not a port");
  if (!host.startsWith("[")) return { host, port };
  const address = host.slice(1, -1);
  if (!host.endsWith("]") || isIP(address) !== 6)
    return refuse("the brackets do not contain an IPv6 address");
  return { host: address, port };
}

// RFC 1123 does not allow underscores in host names, but container networks use them.
const hostName = /^(?=.{1,253}$)(?:\w(?:[\w-]{0,61}\w)?\.)*\w(?:[\w-]{0,61}\w)?$/;
const endsInNumber = /(?:^|\.)\d+$/;

function assertHost(host: string, refuse: Refuse): void {
  if (isIP(host) !== 0) return;
  // No DNS server knows "300.1.2.3" or "127.1".
  if (!hostName.test(host) || endsInNumber.test(host)) {
    refuse("the host is neither an IP address nor a name");
  }
}
