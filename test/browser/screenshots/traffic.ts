/*
 * Generated events that look like real traffic, for screenshots of the dashboard. Their source addresses are in
 * the invented databases of test/mmdb/.
 */

/** Source networks: prefix and relative frequency. */
const networks: readonly (readonly [string, number])[] = [
  ["119.28.14", 18],
  ["5.9.88", 9],
  ["80.82.70", 14],
  ["95.24.7", 9],
  ["14.161.3", 8],
  ["117.192.40", 7],
  ["177.4.9", 5],
  ["34.200.11", 11],
  ["121.130.2", 4],
  ["78.161.20", 4],
  ["193.32.162", 6],
  ["51.68.14", 5],
  ["81.2.69", 3],
  ["89.160.20", 2],
  ["142.44.200", 3],
  ["41.3.7", 2],
  ["105.112.9", 2],
  ["1.128.0", 1],
  ["126.5.3", 2],
  ["128.199.70", 6],
  ["192.168.7", 2],
];

interface Probe {
  readonly weight: number;
  readonly port: number;
  readonly payload: string;
  readonly more?: object;
}

const request = (
  method: string,
  path: string,
  agent: string,
  port = 80,
  ja4h = "ge11nn0300_042112399351",
) => ({
  port,
  payload: `${method} ${path} HTTP/1.1\r\nHost: 203.0.113.7\r\nUser-Agent: ${agent}\r\n\r\n`,
  more: {
    http: { request: { method, hash: { ja4h } } },
    url: { domain: "203.0.113.7", path },
    user_agent: { original: agent },
  },
});

const probes: readonly Probe[] = [
  { weight: 30, port: 23, payload: "root\r\n" },
  { weight: 14, port: 2323, payload: "enable\r\nsystem\r\nshell\r\nsh\r\n" },
  {
    weight: 24,
    port: 22,
    payload: "SSH-2.0-Go\r\n",
    more: { ssh: { client: { hash: { hassh: "0a07365cc01fa9fc82608ba4019af499" } } } },
  },
  {
    weight: 10,
    port: 22,
    payload: "SSH-2.0-libssh2_1.11.0\r\n",
    more: { ssh: { client: { hash: { hassh: "a7a87fbe86774c2e40cc4a7ea2ab1b3c" } } } },
  },
  { weight: 9, port: 6379, payload: "*1\r\n$7\r\nCOMMAND\r\n" },
  { weight: 8, port: 3389, payload: "\x03\x00\x00/*\xe0\x00\x00\x00\x00\x00Cookie: mstshash=Administr\r\n" },
  { weight: 5, port: 445, payload: "\x00\x00\x00T\xffSMBr\x00\x00\x00\x00\x18\x01(" },
  { weight: 12, ...request("GET", "/.env", "Mozilla/5.0 zgrab/0.x") },
  { weight: 7, ...request("GET", "/.git/config", "curl/7.88.1", 443) },
  {
    weight: 6,
    ...request(
      "POST",
      "/boaform/admin/formLogin",
      "Mozilla/5.0 (X11; Linux x86_64)",
      8080,
      "po11cr06en_2a1d12295d68",
    ),
  },
  { weight: 5, ...request("GET", "/actuator/health", "python-requests/2.31.0", 8443) },
  {
    weight: 3,
    ...request(
      "GET",
      "/cgi-bin/luci/;stok=/locale?form=country&operation=write&country=$(id)",
      "<script>alert(1)</script>",
    ),
  },
];

/** The probability that a sensor sends a batch in one second. */
export function chanceToSend(sensor: string): number {
  return sensor.endsWith("-01") ? 0.7 : 0.3;
}

/** A batch of 1 to 12 events. */
export function madeUpBatch(sensor: string): string {
  const events = Array.from({ length: 1 + Math.floor(Math.random() * 12) }, () => madeUpEvent(sensor));
  return JSON.stringify(events);
}

function madeUpEvent(sensor: string): object {
  const probe = pick(probes, ({ weight }) => weight);
  const [prefix] = pick(networks, ([, weight]) => weight);
  const isUnreadable = Math.random() < 0.002;
  return {
    "@timestamp": new Date().toISOString(),
    destination: { ip: "203.0.113.7", port: probe.port },
    event: {
      id: crypto.randomUUID(),
      ingested_by: "spip",
      original_payload_hex: Buffer.from(probe.payload, "latin1").toString("hex"),
      summary: probe.payload,
      ...(isUnreadable ? { sequence: "?" } : {}),
    },
    host: { name: sensor },
    network: {
      transport: "tcp",
      community_id: `1:${Buffer.from(crypto.getRandomValues(new Uint8Array(20))).toString("base64")}`,
    },
    source: {
      ip: `${prefix}.${Math.floor(Math.random() * 40)}`,
      port: 1024 + Math.floor(Math.random() * 64_000),
    },
    ...probe.more,
  };
}

function pick<Item>(items: readonly Item[], weightOf: (item: Item) => number): Item {
  let left = Math.random() * items.reduce((sum, item) => sum + weightOf(item), 0);
  for (const item of items) {
    left -= weightOf(item);
    if (left < 0) return item;
  }
  throw new Error("BUG: nothing to pick from");
}
