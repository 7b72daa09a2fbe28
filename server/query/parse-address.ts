import { addressKey, networkKeys } from "../address-key.ts";
import { networkAround } from "../network.ts";
import { accepted, type Result } from "../result.ts";
import type { ValuePattern } from "./query.ts";

const allAddresses = ["0.0.0.0/0", "::/0"];
const startOfIpv4 = /^((?:\d{1,3}\.){1,3})\*(?:\.\*)*$/;
const startOfIpv6 = /^((?:[\da-f]{1,4}:){1,7})\*$/i;

/**
 * Reads an address, a network in CIDR notation, or the beginning of an address: `185.220.*`, `2001:db8:*`. An address with
 * bits behind the prefix stands for its network. `*` is all addresses.
 * @returns the reason if it is none of these
 */
export function addressPatterns(text: string): Result<ValuePattern[], string> {
  if (text === "*") return networksOf(allAddresses);
  const key = addressKey(text);
  if (key !== undefined) return accepted([{ kind: "exact", value: key }]);
  return networksOf([networkOfStart(text) ?? text]);
}

function networksOf(texts: readonly string[]): Result<ValuePattern[], string> {
  const patterns: ValuePattern[] = [];
  for (const text of texts) {
    const network = networkAround(text);
    if (network.kind === "refused") return network;
    const { first, last } = networkKeys(network.value);
    patterns.push(first === last ? { kind: "exact", value: first } : { kind: "network", first, last });
  }
  return accepted(patterns);
}

/** @returns undefined if the text is not the beginning of an address followed by `*` */
function networkOfStart(text: string): string | undefined {
  const [, ipv4] = startOfIpv4.exec(text) ?? [];
  if (ipv4 !== undefined && text.split(".").length <= 4) {
    const bytes = ipv4.slice(0, -1).split(".");
    return `${[...bytes, 0, 0, 0].slice(0, 4).join(".")}/${bytes.length * 8}`;
  }
  const [, ipv6] = startOfIpv6.exec(text) ?? [];
  return ipv6 === undefined ? undefined : `${ipv6}:/${(ipv6.split(":").length - 1) * 16}`;
}
