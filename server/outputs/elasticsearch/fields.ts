/**
 * The fields that can be searched: every field that Spip and Loom write, and the objects of ECS around them with ECS's types.
 * @see https://www.elastic.co/docs/reference/ecs/ecs-field-reference
 *
 * The types are those that Elasticsearch 7.8, OpenSearch 1 and all newer versions know, so that one template fits all:
 * `keyword` instead of `wildcard`, `constant_keyword` and `flattened`, and `text` instead of `match_only_text`.
 */

/** A field's mapping, or an object's with its `properties`. */
type Mapping = Readonly<Record<string, unknown>>;

/** Mappings by name. */
type Properties = Readonly<Record<string, Mapping>>;

/**
 * RFC 3339, or the same with a space in place of the "T", any number of digits in the fraction, and UTC if no offset follows.
 * No format takes a number: seconds and milliseconds since 1970 cannot be told apart, and the wrong reading would file an
 * event under January 1970 or the year 58867.
 */
const dateFormat = `strict_date_optional_time||uuuu-MM-dd HH:mm:ss${[9, 8, 7, 6, 5, 4, 3, 2, 1]
  .map((digits) => `[.${"S".repeat(digits)}]`)
  .join("")}[XXX]`;

/** Longer text stays in the document but cannot be searched by value. Lucene allows 32,766 bytes for a term. */
const maxKeywordLength = 1024;

const keyword: Mapping = { type: "keyword", ignore_above: maxKeywordLength };
/** Text of attackers: it can be searched by its words, without the cost of ranking and of exact matches. */
const words: Mapping = { type: "text", norms: false, index_options: "docs" };
// A value that does not fit one of these types stays in the document and is not indexed. The event is not rejected for it.
const ip: Mapping = { type: "ip", ignore_malformed: true };
const integer: Mapping = { type: "long", ignore_malformed: true };
const fraction: Mapping = { type: "float", ignore_malformed: true };
const place: Mapping = { type: "geo_point", ignore_malformed: true };
const date: Mapping = { type: "date", ignore_malformed: true, format: dateFormat };
/** Few versions know `ignore_malformed` for it, so another value than true, false and "" gets its event rejected. */
const boolean: Mapping = { type: "boolean" };
const storedOnly: Mapping = { type: "keyword", index: false, doc_values: false };
/**
 * An object that is stored and not parsed. The attacker chooses the names of headers: as fields they would use up the limit,
 * and a header called "host.a" or ".." would get its event rejected, so that an attacker could hide.
 */
const unparsed: Mapping = { type: "object", enabled: false };

const object = (...parts: readonly Properties[]): Mapping => ({ properties: Object.assign({}, ...parts) });

/** Fields of one type, by their names with spaces between them. */
const fields = (type: Mapping, names: string): Properties =>
  Object.fromEntries(names.split(" ").map((name) => [name, type]));

const geo = object(
  fields(
    keyword,
    "city_name continent_code continent_name country_iso_code country_name name postal_code region_iso_code region_name timezone",
  ),
  { location: place },
);
const hash = object(fields(keyword, "md5 sha1 sha256 sha384 sha512 ssdeep tlsh"));
const os = object(fields(keyword, "family full kernel name platform type version"));
const user = object(fields(keyword, "domain email full_name hash id name roles"), {
  group: object(fields(keyword, "domain id name")),
});

const endpoint = object(
  fields(keyword, "address domain mac registered_domain subdomain top_level_domain"),
  fields(integer, "port bytes packets"),
  {
    ip,
    nat: object({ ip, port: integer }),
    geo,
    as: object({ number: integer, organization: object({ name: keyword }) }),
    user,
  },
);

const vlan = object(fields(keyword, "id name"));
const observerSide = object({ interface: object(fields(keyword, "alias id name")), vlan, zone: keyword });

const distinguishedName = object(
  fields(
    keyword,
    "common_name country distinguished_name locality organization organizational_unit state_or_province",
  ),
);
const x509 = object(
  fields(
    keyword,
    "alternative_names public_key_algorithm public_key_curve serial_number signature_algorithm version_number",
  ),
  fields(date, "not_after not_before"),
  {
    issuer: distinguishedName,
    subject: distinguishedName,
    public_key_size: integer,
    public_key_exponent: { ...integer, index: false, doc_values: false },
  },
);
const tlsSide = object(
  fields(
    keyword,
    "certificate certificate_chain cipher issuer ja3 ja3s ja4 ja4s server_name subject supported_ciphers supported_protocols version version_protocol",
  ),
  fields(date, "not_after not_before"),
  { hash: object(fields(keyword, "md5 sha1 sha256 ja3 ja3s ja4 ja4s")), x509 },
);
const sshSide = object(fields(keyword, "banner software version"), { hash: object({ hassh: keyword }) });

const body = object({ bytes: integer, content: words });
const codeAndName = object({ code: integer, name: keyword });
const attackPattern = fields(keyword, "id name reference");

/** The fields at the root, for `mappings.properties`. */
export const properties: Properties = {
  "@timestamp": date,
  message: words,
  tags: keyword,
  labels: { type: "object" },
  agent: object(fields(keyword, "ephemeral_id id name type version"), {
    build: object({ original: keyword }),
  }),
  client: endpoint,
  server: endpoint,
  source: endpoint,
  destination: endpoint,
  data_stream: object(fields(keyword, "dataset namespace type")),
  dns: object(fields(keyword, "header_flags id op_code response_code type"), {
    answers: unparsed,
    resolved_ip: ip,
    question: object(fields(keyword, "class name registered_domain subdomain top_level_domain type")),
  }),
  ecs: object({ version: keyword }),
  error: object(fields(keyword, "code id type"), { message: words, stack_trace: storedOnly }),
  event: object(
    fields(
      keyword,
      "action agent_id_status category code dataset hash id ingested_by kind module outcome provider reason reference timezone type url",
    ),
    fields(date, "created ingested start end"),
    fields(integer, "duration sequence severity"),
    fields(fraction, "risk_score risk_score_norm"),
    // The payload has up to 32 KiB of hexadecimal digits.
    fields(storedOnly, "original original_payload_hex"),
    { summary: words },
  ),
  file: object(
    fields(
      keyword,
      "attributes device directory drive_letter extension fork_name gid group inode mime_type mode name owner path target_path type uid",
    ),
    fields(date, "accessed created ctime mtime"),
    { size: integer, hash },
  ),
  host: object(fields(keyword, "architecture domain hostname id mac name type"), {
    ip,
    uptime: integer,
    geo,
    os,
  }),
  http: object({
    version: keyword,
    request: object(fields(keyword, "id method mime_type referrer"), {
      bytes: integer,
      body,
      headers: unparsed,
      hash: object(fields(keyword, "ja4h md5 sha256")),
    }),
    response: object({
      mime_type: keyword,
      status_code: integer,
      bytes: integer,
      body,
      headers: unparsed,
    }),
  }),
  log: object(fields(keyword, "level logger"), {
    file: object({ path: keyword }),
    origin: object({ function: keyword, file: object({ name: keyword, line: integer }) }),
    syslog: object(fields(keyword, "appname hostname msgid procid version"), {
      priority: integer,
      facility: codeAndName,
      severity: codeAndName,
      structured_data: unparsed,
    }),
  }),
  network: object(
    fields(keyword, "application community_id direction iana_number name protocol transport type"),
    fields(integer, "bytes packets"),
    { forwarded_ip: ip, inner: unparsed, vlan },
  ),
  observer: object(fields(keyword, "hostname id mac name product serial_number type vendor version"), {
    ip,
    geo,
    os,
    ingress: observerSide,
    egress: observerSide,
  }),
  organization: object(fields(keyword, "id name")),
  process: object(
    fields(keyword, "args command_line entity_id executable name title working_directory"),
    fields(integer, "args_count exit_code pgid pid ppid uptime"),
    fields(date, "start end"),
    { thread: object({ id: integer, name: keyword }), hash, user },
  ),
  related: object(fields(keyword, "hash hosts user"), { ip }),
  rule: object(fields(keyword, "author category description id license name reference ruleset uuid version")),
  service: object(fields(keyword, "address environment ephemeral_id id name state type version"), {
    node: object({ name: keyword }),
  }),
  span: object({ id: keyword }),
  ssh: object({ client: sshSide, server: sshSide }),
  threat: object({
    framework: keyword,
    group: object(fields(keyword, "alias id name reference")),
    indicator: object(
      fields(keyword, "confidence description name provider reference type"),
      fields(date, "first_seen last_seen"),
      { ip, port: integer },
    ),
    software: object(fields(keyword, "id name platforms reference type")),
    tactic: object(attackPattern),
    technique: object(attackPattern, { subtechnique: object(attackPattern) }),
    enrichments: unparsed,
  }),
  tls: object(
    fields(keyword, "cipher curve next_protocol version version_protocol"),
    fields(boolean, "established resumed"),
    {
      client: tlsSide,
      server: tlsSide,
    },
  ),
  trace: object({ id: keyword }),
  transaction: object({ id: keyword }),
  url: object(
    fields(
      keyword,
      "domain extension fragment full original password path query registered_domain scheme subdomain top_level_domain username",
    ),
    { port: integer },
  ),
  user,
  user_agent: object(fields(keyword, "name original version"), { device: object({ name: keyword }), os }),
};

/** The fields that a search without a field name searches. */
export const searchedByDefault = [
  "message",
  "event.summary",
  "http.request.body.content",
  "http.response.body.content",
  "url.path",
  "url.original",
  "user_agent.original",
  "source.domain",
  "tls.client.server_name",
  "observer.id",
];
