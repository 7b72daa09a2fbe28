import { ipAddressText, isIpv4, parseIpAddress } from "../../ip-address.ts";

/** What counts as one client: an IPv4 address, or the first 64 bits of an IPv6 address, which one household shares. */
export function clientNetwork(address: string | undefined): string {
  if (address === undefined) return "unknown";
  const parsed = parseIpAddress(address.replace(/%.*/, ""));
  if (!parsed) return address;
  if (isIpv4(parsed)) return ipAddressText(parsed);
  return parsed
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":");
}
