import { hostNameText, listenAddress, network, resolverAddress } from "./address-kinds.ts";
import { type Key, optional, required, withDefault } from "./key.ts";
import {
  choice,
  fieldName,
  flag,
  integer,
  limit,
  listOf,
  oneOrMore,
  path,
  pathOrList,
  sizeLimit,
  textLike,
} from "./kind.ts";
import type { OutputKind } from "./output-kind.ts";
import { tls12Suites } from "./tls-suites.ts";
import type { Schema, Sections, TableArrays } from "./typed-values.ts";
import { serverAddress, updateSource } from "./update-source.ts";

const kibi = 1024;
const mebi = 1024 * kibi;
const gibi = 1024 * mebi;
const hourMs = 3_600_000;

/** The most networks of all [[ignore]] rules together. */
export const maxIgnoredNetworks = 10_000;

/** Spellings of other programs. */
const levelAliases = {
  trace: "debug",
  information: "info",
  notice: "info",
  warning: "warn",
  err: "error",
  critical: "error",
  fatal: "error",
  panic: "error",
} as const;
const formatAliases = { text: "console", plain: "console", pretty: "console", logfmt: "console" } as const;

/**
 * Every section and key of `loom.toml` except the keys of single outputs, which are in their folders below
 * `server/outputs/`. The check for unknown names, the type `Config`, `loom example-config` and docs/configuration.md
 * follow from this table.
 */
export const sections = {
  server: {
    listen_address: withDefault(
      listenAddress,
      ":8443",
      'Sensors send their events to this address: ":port" (every interface, IPv4 and IPv6), "host:port" or "[IPv6]:port".',
    ),
    tls: optional(
      flag,
      "Accepts only TLS 1.2 or newer, and needs cert_file and key_file. If it is not set, it is true when both files are set. Set it to false only on a trusted network or behind a proxy that terminates TLS.",
      { example: "true", isSetInExample: true },
    ),
    cert_file: optional(path, "The certificate and its chain, in PEM.", {
      example: '"/etc/loom/tls.crt"',
      isSetInExample: true,
    }),
    key_file: optional(path, "The private key of the certificate, in PEM, without a passphrase.", {
      example: '"/etc/loom/tls.key"',
      isSetInExample: true,
    }),
    tls_ciphers: optional(
      listOf(choice(tls12Suites), tls12Suites.length),
      "The cipher suites for clients with TLS 1.2, on both ports. If it is not set, Loom accepts the six suites with ECDHE and GCM or ChaCha20, which have forward secrecy. An old client may need another one. Clients with TLS 1.3 are not affected.",
      { example: '["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA"]' },
    ),
    management_listen_address: optional(
      listenAddress,
      "The address of health checks, metrics and dashboard. There is no management port if it is not set. Do not open it to the internet.",
      { example: '"127.0.0.1:9080"' },
    ),
    management_tls: withDefault(
      flag,
      false,
      "Accepts only TLS on the management port too. It uses cert_file and key_file, which it needs even if tls is false.",
    ),
    management_host_names: optional(
      listOf(hostNameText, 64),
      "The names under which clients reach dashboard, API and metrics, for example through a reverse proxy. IP addresses, localhost, the name in management_listen_address and, with management_tls, the names in the certificate are always accepted. A request with another Host header gets 421, so that a hostile page cannot read the port through its own name (DNS rebinding).",
      { example: '["loom.example.com"]' },
    ),
    trusted_proxies: optional(
      listOf(network, 256),
      "The addresses and networks of the reverse proxies in front of both ports. If a connection comes from one of them, the client in the log, in the list of refused requests and for the delays of the sign-in is the last address in X-Forwarded-For that is not one of them. List only proxies that append to this header or replace it, because a client can write anything before that. If it is not set, the client is the other end of the connection.",
      { example: '["10.0.0.0/8", "2001:db8::1"]' },
    ),
  },
  auth: {
    token_file: optional(
      path,
      'A file with one line "token,sensor_id" for each sensor. Blank lines and lines that begin with "#" are skipped. LOOM_SENSOR_<id> in the environment adds tokens, with or without a file.',
      { example: '"/etc/loom/tokens.txt"' },
    ),
  },
  limits: {
    max_body_size_bytes: withDefault(
      sizeLimit({ max: 256 * mebi }),
      2 * mebi,
      "The largest request body, in bytes.",
    ),
    max_events_per_batch: withDefault(
      sizeLimit({ max: 100_000 }),
      500,
      "The largest number of events in one request.",
    ),
    max_event_size_bytes: withDefault(
      sizeLimit({ max: 256 * mebi }),
      128 * kibi,
      "The largest event, in bytes.",
      { range: "1 to max_body_size_bytes; -1: max_body_size_bytes" },
    ),
    per_sensor_rps: withDefault(
      limit({ max: 1_000_000 }),
      50,
      "The requests per second that each sensor may send.",
    ),
    per_sensor_events_rps: optional(
      limit({ max: 100_000_000 }),
      "The events per second that each sensor may send. There is no limit if it is not set.",
      { example: "5000" },
    ),
  },
  enrichment: {
    geoip_db_path: optional(
      pathOrList(8),
      "A MaxMind DB file of places: City, Country or Enterprise, from MaxMind, DB-IP or IPinfo. A replaced file is loaded while Loom runs. Loom does not start if the file is missing or damaged; it starts without the file if [enrichment.update] downloads it. If it is a list of files, the first one that contains the address is used, and addresses that are not public are looked up too.",
      { example: '"/var/lib/loom/GeoLite2-City.mmdb"' },
    ),
    asn_db_path: optional(
      pathOrList(8),
      "A MaxMind DB file of networks (ASN), from the same vendors, or a list of such files.",
      { example: '"/var/lib/loom/GeoLite2-ASN.mmdb"' },
    ),
    builtin_databases: withDefault(
      flag,
      true,
      "Uses the database of countries inside the executable if geoip_db_path is not set, and that of networks if asn_db_path is not set. They need 13 MB of memory.",
    ),
    source_address_fields: withDefault(
      oneOrMore(fieldName, 16),
      ["source.ip", "source.address", "src_ip", "src_host", "client.ip"],
      "The fields in which an event may have the address of its source, nested or with dots in their names. The first one with an address is used.",
    ),
    known_scanners: withDefault(
      flag,
      true,
      'Adds the tag "known-scanner" and the id of the scanner, such as "shodan", to the tags of events from scanners that Loom knows. If reverse DNS is on, a name in the domain of a scanner is confirmed with one more question.',
    ),
  },
  "enrichment.update": {
    geoip: optional(
      updateSource,
      'Where Loom downloads the file of geoip_db_path: "maxmind:" and an edition, such as "maxmind:GeoLite2-City", "dbip:city-lite", "dbip:country-lite", or the URL of an MMDB file, which may be packed as gz or tar.gz. MaxMind needs LOOM_MAXMIND_ACCOUNT_ID and LOOM_MAXMIND_LICENSE_KEY in the environment. Put a URL that contains a secret into the environment too.',
      { example: '"dbip:city-lite"', environment: "LOOM_GEOIP_UPDATE_SOURCE" },
    ),
    asn: optional(
      updateSource,
      'The same for asn_db_path: "maxmind:GeoLite2-ASN", "dbip:asn-lite", or a URL.',
      { example: '"dbip:asn-lite"', environment: "LOOM_ASN_UPDATE_SOURCE" },
    ),
    interval_hours: withDefault(
      integer({ min: 1, max: 168 }),
      24,
      "How often Loom asks for a newer database, in hours. Up to a tenth of this time is added at random. A database that did not change is not downloaded again.",
    ),
    maxmind_url: withDefault(
      serverAddress,
      "https://download.maxmind.com",
      "MaxMind's server, or a mirror of it. It gets the license key.",
    ),
    dbip_url: withDefault(
      serverAddress,
      "https://download.db-ip.com/free",
      "DB-IP's server, or a mirror of it.",
    ),
  },
  "enrichment.dns": {
    enabled: withDefault(flag, false, "Adds the name of each source address (PTR) as source.domain."),
    resolver_addr: optional(
      resolverAddress,
      'The DNS server, as "address:port". If it is not set, Loom asks the resolvers of the system.',
      { example: '"127.0.0.1:53"' },
    ),
    cache_ttl_seconds: withDefault(
      integer({ min: 1, max: 604_800 }),
      300,
      "How long names and failed lookups are cached, in seconds.",
    ),
    max_qps: withDefault(integer({ min: 1, max: 10_000 }), 10, "The largest number of questions per second."),
    max_wait_ms: withDefault(
      integer({ min: 0, max: 5_000 }),
      300,
      "How long a batch waits for names, in milliseconds. Names that are not known by then are left out.",
    ),
  },
  output: {
    // outputTypeKey replaces it with one that has the names of all outputs.
    type: outputTypeKey([{ name: "stdout", isInExample: true }]),
  },
  "output.outbox": {
    enabled: withDefault(
      flag,
      true,
      "Stores events on disk until the output has accepted them. The value false has an effect only if stdout is the only output: other outputs need the outbox, because 204 means that a batch is on disk.",
    ),
    dir: withDefault(path, "/var/lib/loom/outbox", "The directory of the outbox."),
    max_bytes: withDefault(
      integer({ min: 64 * kibi, max: 16 * kibi * gibi }),
      256 * mebi,
      "The largest size of the segments on disk, in bytes. Dead letters and a reserve of up to 16 MiB need additional space. With events of 1.5 KB the default holds about 180,000 of them.",
    ),
    on_full: withDefault(
      choice(["reject", "drop_oldest"]),
      "reject",
      'What a full outbox does: "reject" refuses new batches with 503, "drop_oldest" drops the oldest events and counts them.',
    ),
    flush_interval_ms: withDefault(
      integer({ min: 1, max: hourMs }),
      10_000,
      "How long the oldest event waits for its batch to fill, in milliseconds.",
    ),
    max_batch_size: withDefault(
      integer({ min: 1, max: 100_000 }),
      10_000,
      "The largest number of events in one batch to an output.",
    ),
    retry_backoff_ms: withDefault(
      integer({ min: 1, max: hourMs }),
      1_000,
      "The pause before the first retry, in milliseconds. Each further failure makes the pause longer; retries do not end.",
    ),
    retry_max_backoff_ms: withDefault(
      integer({ min: 1, max: 24 * hourMs }),
      30_000,
      "The longest pause between retries, in milliseconds.",
      { range: `retry_backoff_ms to ${24 * hourMs}` },
    ),
  },
  logging: {
    level: withDefault(
      choice(["debug", "info", "warn", "error"], levelAliases),
      "info",
      "The lowest level that is logged.",
    ),
    format: withDefault(
      choice(["json", "console"], formatAliases),
      "json",
      "The format of the log, which goes to stderr.",
    ),
  },
  observability: {
    metrics_enabled: withDefault(
      flag,
      true,
      "Serves Prometheus metrics at /metrics on the management port. They need a token if LOOM_METRICS_TOKEN is set.",
    ),
  },
  dashboard: {
    quiet_after_seconds: withDefault(
      integer({ min: 1, max: 86_400 }),
      120,
      "A sensor is shown as quiet after this many seconds without a batch, or later if its usual gap is longer.",
    ),
    state_dir: optional(
      path,
      'The directory for dashboard.db, the file in which the dashboard stores what it knows (when each sensor was seen, totals, refused requests, top lists), so that it survives a restart. At most 20 MB. The directory is created if it does not exist. If the key is not set, it is output.outbox.dir if there is an outbox, otherwise the parent of that directory if Loom can write to it. "none" stores nothing.',
      { example: '"/var/lib/loom"' },
    ),
    recent_events_bytes: withDefault(
      integer({ min: mebi, max: gibi }),
      16 * mebi,
      "The memory for the latest events, which the live tail shows and searches, in bytes.",
    ),
    history: optional(
      choice(["store", "clickhouse", "off"]),
      'The output in which stored events are searched: "store" or "clickhouse", which output.type has to name, or "off". If it is not set, Loom takes the first of them in output.type.',
      { example: '"clickhouse"' },
    ),
  },
} as const satisfies Sections;

/** Every array of tables of `loom.toml`. The same follows from this table as from that of the sections. */
export const tableArrays = {
  ignore: {
    maxTables: 100,
    description:
      "A rule for events from networks of your own, such as those of your scanners and of your monitoring. The first rule that has the source address of an event applies. SIGHUP reads the rules again.",
    keys: {
      name: required(
        textLike('1 to 64 letters, digits, ".", "_" and "-"', /^[\w.-]{1,64}$/),
        'The name of the rule in metrics, log and dashboard: up to 64 letters, digits, ".", "_" and "-". No other rule may have it.',
        { example: '"own-scanners"' },
      ),
      networks: required(
        listOf(network, maxIgnoredNetworks),
        `The networks and single addresses, IPv4 and IPv6; at most ${maxIgnoredNetworks} in all rules. An IPv4-mapped IPv6 address counts as the IPv4 address.`,
        { example: '["198.51.100.0/24", "2001:db8::/32"]' },
      ),
      action: withDefault(
        choice(["tag", "drop"]),
        "tag",
        'What happens to the events: "tag" adds a tag to them and loses nothing, "drop" removes them before they are stored. Removed events are counted.',
      ),
      tag: withDefault(
        textLike("1 to 64 characters without control characters", /^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u),
        "ignored",
        'The text that the action "tag" adds to the tags of an event.',
      ),
    },
  },
} as const satisfies TableArrays;

/** The schema of a file for a program with these outputs. */
export function schemaWith(outputs: readonly OutputKind<unknown>[]): Schema {
  return { sections: sectionsWith(outputs), tableArrays };
}

/** The table of sections with the outputs of this version: their names for `output.type`, and their keys in `[output]`. */
export function sectionsWith(outputs: readonly OutputKind<unknown>[]): Sections {
  const keys = outputs.map((output) => output.keys);
  return { ...sections, output: Object.assign({ type: outputTypeKey(outputs) }, ...keys) };
}

/** `output.type` for a program that has these outputs. */
export function outputTypeKey(
  outputs: readonly Pick<OutputKind<unknown>, "name" | "isInExample">[],
): Key<readonly string[]> {
  const names = outputs.map(({ name }) => name);
  const inExample = outputs.filter(({ isInExample }) => isInExample).map(({ name }) => name);
  return withDefault(
    oneOrMore(choice(names), names.length),
    "stdout",
    'The output, or a list of several, such as ["stdout", "clickhouse"]. Each of them receives every event.',
    inExample.length > 1 ? { example: inExample } : {},
  );
}
