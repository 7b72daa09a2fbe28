import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { startElasticsearch } from "../../scripts/services/elasticsearch.ts";
import { startOpensearch } from "../../scripts/services/opensearch.ts";
import type { SearchNode } from "../../scripts/services/search-node.ts";
import { maxNesting } from "../../server/json-bytes.ts";
import { createElasticsearchOutput } from "../../server/outputs/elasticsearch/output.ts";
import { templateVersion } from "../../server/outputs/elasticsearch/schema.ts";
import type { Delivery, Output } from "../../server/outputs/output.ts";
import type { Log } from "../../server/telemetry/log.ts";
import { deliveryOf, storedEvent } from "../outputs/elasticsearch/stand-in.ts";
import { capturedRequests } from "../support/fixtures.ts";
import { recordingLog, silentLog } from "../support/log.ts";

// A new index takes a second or more on a busy machine.
setDefaultTimeout(30_000);

interface Server {
  readonly name: string;
  readonly url: string | undefined;
  readonly start: () => Promise<SearchNode>;
  /** The core of Elasticsearch 7 has no data streams. */
  readonly hasDataStreams: boolean;
}

const servers: readonly Server[] = [
  {
    name: "OpenSearch",
    url: process.env.LOOM_TEST_OPENSEARCH_URL,
    start: startOpensearch,
    hasDataStreams: true,
  },
  {
    name: "Elasticsearch",
    url: process.env.LOOM_TEST_ELASTICSEARCH_URL,
    start: startElasticsearch,
    hasDataStreams: false,
  },
];

for (const { name, url, ...server } of servers)
  if (url === undefined) test.skip(`skipped: no ${name}`, () => {});
  else describe(name, () => testsWith(url, server));

/** Documents as enrichment writes them. */
const fromSweden =
  '{"@timestamp":"2026-11-22T16:24:59Z","destination":{"port":23},"event":{"original_payload_hex":"00ff","summary":"GET /.env"},' +
  '"source":{"ip":"81.2.69.142","port":53273,"geo":{"country_iso_code":"SE","location":{"lat":59.33,"lon":18.06}},"as":{"number":64500}}}';
const fromJapan =
  '{"@timestamp":"2026-11-22T16:25:00Z","source":{"ip":"2001:db8::7","geo":{"country_iso_code":"JP","location":{"lat":35.7,"lon":139.7}}}}';

function testsWith(url: string, { start, hasDataStreams }: Pick<Server, "start" | "hasDataStreams">): void {
  const run = `loom-t${Math.random().toString(36).slice(2, 8)}`;
  const never = new AbortController().signal;
  let testCount = 0;
  let index = "";
  let output: Output;

  beforeEach(() => {
    index = `${run}-${++testCount}`;
    output = outputFor(index);
  });

  afterAll(async () => {
    if (hasDataStreams) await ask("DELETE", `/_data_stream/${run}-*`);
    await ask("DELETE", `/${run}-*`);
    await ask("DELETE", `/_index_template/${run}-*`);
  });

  function outputFor(
    pattern: string | undefined,
    installTemplate = true,
    nodeUrl = url,
    log: Log = silentLog,
  ): Output {
    return createElasticsearchOutput({
      url: [nodeUrl],
      index: pattern,
      user: undefined,
      pass: undefined,
      apiKey: undefined,
      certificateAuthorities: undefined,
      installTemplate,
      log,
    });
  }

  const send = (delivery: Delivery) => output.send(delivery, never);

  async function ask(method: string, path: string, body?: unknown, nodeUrl = url) {
    const response = await fetch(nodeUrl + path, {
      method,
      headers: { "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }

  /** The ids of the documents that match, in the order of the result. */
  async function search(query: unknown, nodeUrl = url): Promise<string[]> {
    await ask("POST", `/${index}*/_refresh`, undefined, nodeUrl);
    const { text } = await ask("POST", `/${index}*/_search?size=100`, { query }, nodeUrl);
    const found = JSON.parse(text) as { hits: { hits: { _id: string }[] } };
    return found.hits.hits.map(({ _id }) => _id).sort();
  }

  const all = { match_all: {} };

  test("documents are returned byte for byte", async () => {
    const documents = [
      fromSweden,
      '{"big":18446744073709551615,"one":1.0,"huge":1e400,"escaped":"\\u0041\\ud800\\u0000","z":1,"a":2}',
      '{ "spaced" : [ ] , "text":"ünïcode \u2028" }',
    ];
    expect(await send(deliveryOf(documents))).toEqual({ kind: "delivered" });
    for (const [position, document] of documents.entries())
      expect((await ask("GET", `/${index}/_source/outbox-1-${position + 1}`)).text).toBe(document);
  });

  test.each<[string, unknown, string]>([
    ["country", { term: { "source.geo.country_iso_code": "SE" } }, "outbox-1-1"],
    ["IPv4 range", { term: { "source.ip": "81.2.69.0/24" } }, "outbox-1-1"],
    ["IPv6 range", { term: { "source.ip": "2001:db8::/32" } }, "outbox-1-2"],
    ["distance", { geo_distance: { distance: "50km", "source.geo.location": "35.6,139.6" } }, "outbox-1-2"],
    ["network", { term: { "source.as.number": 64500 } }, "outbox-1-1"],
    ["time", { range: { "@timestamp": { gte: "2026-11-22T16:25:00Z" } } }, "outbox-1-2"],
    ["a word of the payload", { match: { "event.summary": "env" } }, "outbox-1-1"],
  ])("events are found by %s", async (_, query, id) => {
    await send(deliveryOf([fromSweden, fromJapan]));
    expect(await search(query)).toEqual([id]);
  });

  test("a batch that is sent twice is stored once", async () => {
    const delivery = deliveryOf([fromSweden, fromJapan]);
    await send(delivery);
    expect(await send(delivery)).toEqual({ kind: "delivered" });
    expect(await search(all)).toEqual(["outbox-1-1", "outbox-1-2"]);
  });

  test("date parts in the name create an index for the day of receipt", async () => {
    output = outputFor(`${index}-%Y.%m.%d`);
    await send(deliveryOf([fromSweden]));
    expect((await ask("GET", `/${index}-2026.11.22/_source/outbox-1-1`)).text).toBe(fromSweden);
  });

  test("a document that does not fit the mapping is rejected with a reason, and the others are stored", async () => {
    const delivery = deliveryOf([fromSweden, '{"source":"nonsense"}', fromJapan]);
    expect(await send(delivery)).toMatchObject({
      kind: "judged",
      retry: [],
      rejected: [
        { event: delivery.events[1], reason: expect.stringContaining("object mapping for [source]") },
      ],
    });
    expect(await search(all)).toEqual(["outbox-1-1", "outbox-1-3"]);
  });

  test("of two members with the same key, the last one is stored", async () => {
    const documents = [
      '{"source":{"ip":"192.0.2.1"},"n":1.0,"source":{"ip":"81.2.69.7","geo":{"country_iso_code":"GB"}}}',
      '{"http":{"request":{"headers":{"a":"1","\\u0061":"2"}}},"x":[{"y":1,"y":2}]}',
    ];
    const delivery = deliveryOf([...documents, fromSweden]);
    expect(await send(delivery)).toEqual({ kind: "delivered" });
    expect(await send(delivery)).toEqual({ kind: "delivered" });
    const stored = async (id: string) => (await ask("GET", `/${index}/_source/${id}`)).text;
    expect(await stored("outbox-1-1")).toBe(
      '{"n":1.0,"source":{"ip":"81.2.69.7","geo":{"country_iso_code":"GB"}}}',
    );
    expect(await stored("outbox-1-2")).toBe('{"http":{"request":{"headers":{"\\u0061":"2"}}},"x":[{"y":2}]}');
    expect(await search({ term: { "source.ip": "192.0.2.1" } })).toEqual([]);
  });

  test("a name with a dot is searched beside the object of that name", async () => {
    await send(
      deliveryOf(['{"source":{"geo":{"country_iso_code":"SE"}},"source.geo.country_iso_code":"XX"}']),
    );
    for (const country of ["SE", "XX"])
      expect(await search({ term: { "source.geo.country_iso_code": country } })).toEqual(["outbox-1-1"]);
  });

  test.each([
    ["an address that is none", '{"source":{"ip":"nonsense","port":"http"}}'],
    ["a place that is none", '{"source":{"geo":{"location":{"lat":100,"lon":1}},"as":{"number":"x"}}}'],
    [
      "headers named to break the mapping",
      '{"http":{"request":{"headers":{"..":"x","a":"y","a.b":"z","":"w"}}}}',
    ],
    [
      "response headers named to break the mapping",
      '{"http":{"response":{"headers":{"..":"x","a":"y","a.b":"z","":"w"}}}}',
    ],
    ["headers that are text", '{"http":{"request":{"headers":"x"},"response":{"headers":["y"]}}}'],
    [
      "a field name with a dot beside an object",
      '{"source":{"ip":"81.2.69.142"},"source.geo.country_iso_code":"XX"}',
    ],
    [
      "a payload of 100,000 characters",
      `{"event":{"summary":"${"z".repeat(100_000)}"},"x":"${"y".repeat(100_000)}"}`,
    ],
    ["text that looks like a date, then text", '{"x":"2026-11-22","y":"12"}'],
  ])("%s does not get an event rejected", async (_, document) => {
    expect(await send(deliveryOf(['{"x":"text","y":"text"}', document]))).toEqual({ kind: "delivered" });
  });

  test("an object that is a string in the first event does not get later events rejected", async () => {
    const spip = capturedRequests.flatMap(({ body }) =>
      (JSON.parse(body) as unknown[]).map((event) => JSON.stringify(event)),
    );
    const delivery = deliveryOf(['{"observer":"x"}', ...spip]);
    expect(await send(delivery)).toMatchObject({
      kind: "judged",
      retry: [],
      rejected: [
        { event: delivery.events[0], reason: expect.stringContaining("object mapping for [observer]") },
      ],
    });
    expect(await search(all)).toHaveLength(spip.length);
  });

  test("900 unknown keys take no field from other events", async () => {
    const keys = (prefix: string) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`${prefix}${n}`, `v${n}`])));
    expect(await send(deliveryOf([keys("a"), keys("b"), `{"source":${keys("c")}}`, fromSweden]))).toEqual({
      kind: "delivered",
    });
    expect(await search({ term: { "source.geo.country_iso_code": "SE" } })).toEqual(["outbox-1-4"]);
    expect((await ask("GET", `/${index}/_mapping`)).text).not.toContain('"a1"');
  });

  test.each([
    ['"2026-11-25 04:00:00.123456"', "2026-11-25T04:00:00.123Z"],
    ['"2026-11-25T05:00:00.1+01:00"', "2026-11-25T04:00:00.100Z"],
    ['"2026-11-25 04:00:00"', "2026-11-25T04:00:00.000Z"],
    ['""', undefined],
    ['"yesterday"', undefined],
    ["1795500000", undefined],
    ["1795500000.5", undefined],
    ["1795500000000", undefined],
    ['"1795500000"', undefined],
    ["true", undefined],
    ["null", undefined],
  ])("an event with the @timestamp %s is stored, and found at %p", async (timestamp, time) => {
    const document = `{"@timestamp":${timestamp}}`;
    expect(await send(deliveryOf([document]))).toEqual({ kind: "delivered" });
    expect((await ask("GET", `/${index}/_source/outbox-1-1`)).text).toBe(document);
    const found = time === undefined ? { exists: { field: "@timestamp" } } : { term: { "@timestamp": time } };
    expect(await search(found)).toEqual(time === undefined ? [] : ["outbox-1-1"]);
  });

  test("an event as deep as ingest accepts is stored, even if dynamic is true", async () => {
    // The batch around the event is the first level.
    const levels = maxNesting - 1;
    const deep = `${'{"d":'.repeat(levels)}1${"}".repeat(levels)}`;
    expect(await send(deliveryOf([deep]))).toEqual({ kind: "delivered" });
    await ask("PUT", `/${index}/_mapping`, { dynamic: true });
    expect(await send({ outboxId: "outbox-1", events: [storedEvent(2, deep)] })).toEqual({
      kind: "delivered",
    });
  });

  test("an alias without a write index blocks delivery until it has one", async () => {
    for (const part of ["a", "b"]) await ask("PUT", `/${index}-${part}`, { aliases: { [index]: {} } });
    const delivery = deliveryOf([fromSweden]);
    expect(await send(delivery)).toMatchObject({
      kind: "hold",
      reason: expect.stringContaining("no write index is defined"),
    });
    const add = { index: `${index}-a`, alias: index, is_write_index: true };
    await ask("POST", "/_aliases", { actions: [{ add }] });
    expect(await send(delivery)).toEqual({ kind: "delivered" });
  });

  test("a closed index blocks delivery until it is opened", async () => {
    await send(deliveryOf([fromSweden]));
    await ask("POST", `/${index}/_close`);
    const next = { outboxId: "outbox-1", events: [storedEvent(2)] };
    expect(await send(next)).toMatchObject({ kind: "hold" });
    await ask("POST", `/${index}/_open?wait_for_active_shards=1`);
    expect(await send(next)).toEqual({ kind: "delivered" });
  });

  test.each(["index.blocks.write", "index.blocks.read_only_allow_delete"])(
    "%s is tried again, and the events are in once it is taken away",
    async (block) => {
      await send(deliveryOf([fromSweden]));
      await ask("PUT", `/${index}/_settings`, { [block]: true });
      const next = { outboxId: "outbox-1", events: [storedEvent(2)] };
      expect(await send(next)).toMatchObject({ kind: "judged", rejected: [], retry: next.events });
      await ask("PUT", `/${index}/_settings`, { [block]: null });
      expect(await send(next)).toEqual({ kind: "delivered" });
    },
  );

  test("an index that may not be created blocks delivery", async () => {
    const setting = (value: string | null) =>
      ask("PUT", "/_cluster/settings", { transient: { "action.auto_create_index": value } });
    await setting(`-${index}*,+*`);
    try {
      expect(await send(deliveryOf([fromSweden]))).toMatchObject({ kind: "hold" });
    } finally {
      await setting(null);
    }
  });

  test.if(hasDataStreams)("a data stream keeps its template and stores each event once", async () => {
    await ask("PUT", `/_index_template/${index}`, {
      index_patterns: [index],
      data_stream: {},
      priority: 900,
    });
    await ask("PUT", `/_data_stream/${index}`);
    const delivery = deliveryOf([fromSweden, '{"no":"timestamp"}']);
    const rejected = [{ event: delivery.events[1], reason: expect.stringContaining("@timestamp") }];
    expect(await send(delivery)).toMatchObject({ kind: "judged", rejected });
    expect(await send(delivery)).toMatchObject({ kind: "judged", rejected });
    expect(await search(all)).toEqual(["outbox-1-1"]);
  });

  test.if(hasDataStreams)("a template of others that makes data streams is not shadowed", async () => {
    await ask("PUT", `/_index_template/${index}`, {
      index_patterns: [`${index}-*-*`],
      data_stream: {},
      priority: 100,
    });
    const log = recordingLog();
    output = outputFor(`${index}-app-default`, true, url, log);
    expect(await send(deliveryOf([fromSweden]))).toEqual({ kind: "delivered" });
    expect((await ask("GET", `/_data_stream/${index}-app-default`)).text).toContain(".ds-");
    expect(log.lines[0]?.fields).toMatchObject({ other: `${index} (priority 100)` });
  });

  test("the template is installed though the index exists, and one with a higher priority is named", async () => {
    await ask("PUT", `/${index}`);
    await ask("PUT", `/_index_template/${index}-op`, { index_patterns: [`${index}*`], priority: 900 });
    await ask("PUT", `/_index_template/${index}-low`, { index_patterns: [`${index}*`], priority: 3 });
    const log = recordingLog();
    output = outputFor(index, true, url, log);
    await send(deliveryOf([fromSweden]));
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ["info", "index template installed"],
      ["warn", "another index template with a higher priority is used for new indices instead of Loom's"],
    ]);
    expect(log.lines[1]?.fields.others).toBe(`${index}-op (priority 900), ${index}-low (priority 3)`);
  });

  test("without elasticsearch_index, events go to an index for each day, or to loom-events if that exists", async () => {
    const daily = "loom-events-2026.11.22";
    const isStored = async (name: string) => (await ask("GET", `/${name}/_source/outbox-1-1`)).status;
    try {
      output = outputFor(undefined);
      expect(await send(deliveryOf([fromSweden]))).toEqual({ kind: "delivered" });
      expect([await isStored(daily), await isStored("loom-events")]).toEqual([200, 404]);
      await ask("DELETE", `/${daily}`);
      await ask("PUT", "/loom-events");
      output = outputFor(undefined);
      expect(await send(deliveryOf([fromSweden]))).toEqual({ kind: "delivered" });
      expect([await isStored(daily), await isStored("loom-events")]).toEqual([404, 200]);
    } finally {
      for (const name of [daily, "loom-events"]) await ask("DELETE", `/${name}`);
      await ask("DELETE", "/_index_template/loom-events");
    }
  });

  test("the template of an earlier version is replaced", async () => {
    const path = `/_index_template/${index}`;
    const patterns = [index, `${index}-*`];
    await ask("PUT", path, { index_patterns: patterns, version: 1, priority: 500 });
    expect(await send(deliveryOf([fromSweden]))).toEqual({ kind: "delivered" });
    expect((await ask("GET", path)).text).toContain(`"version":${templateVersion}`);
    expect((await ask("GET", `/${index}/_mapping`)).text).toContain('"dynamic":"false"');
  });

  test("a template that an operator changed is not overwritten", async () => {
    await send(deliveryOf([fromSweden]));
    const path = `/_index_template/${index}`;
    const { index_templates: installed } = JSON.parse((await ask("GET", path)).text);
    const changed = { ...installed[0].index_template, priority: 777 };
    await ask("PUT", path, changed);
    await outputFor(index).send(deliveryOf([fromJapan]), never);
    expect((await ask("GET", path)).text).toContain('"priority":777');
  });

  test("after a kill, the node has every event that it acknowledged, and accepts the others when it is restarted", async () => {
    const node = await start();
    try {
      output = outputFor(index, true, node.url);
      const before = deliveryOf([fromSweden, fromJapan]);
      expect(await send(before)).toEqual({ kind: "delivered" });
      await node.crash();
      const after = { outboxId: "outbox-1", events: [...before.events, storedEvent(3)] };
      expect(await send(after)).toMatchObject({ kind: "retry" });
      await node.restart();
      expect(await send(after)).toEqual({ kind: "delivered" });
      expect(await search(all, node.url)).toEqual(["outbox-1-1", "outbox-1-2", "outbox-1-3"]);
    } finally {
      await node.stop();
    }
  }, 200_000);
}
