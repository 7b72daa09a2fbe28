/** What counts as one client: an IPv4 address, or the first 64 bits of an IPv6 address, which one household shares. */
export function clientNetwork(address: string | undefined): string {
  if (address === undefined) return "unknown";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.replace(/%.*/, "").split("::");
  const before = groupsOf(head);
  const behind = groupsOf(tail);
  const between = address.includes("::")
    ? new Array<string>(8 - before.length - behind.length).fill("0")
    : [];
  return [...before, ...between, ...behind].slice(0, 4).join(":");
}

/** The groups without leading zeros, so that each network has one spelling. */
function groupsOf(part: string): string[] {
  return part === "" ? [] : part.split(":").map((group) => group.replace(/^0+(?=.)/, "").toLowerCase());
}
