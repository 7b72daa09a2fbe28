import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { enrichedFields } from "../../../server/enrich/additions.ts";
import { properties } from "../../../server/outputs/elasticsearch/fields.ts";
import { templateName } from "../../../server/outputs/elasticsearch/index-names.ts";
import { createElasticsearchOutput } from "../../../server/outputs/elasticsearch/output.ts";
import { indexTemplate, templateVersion } from "../../../server/outputs/elasticsearch/schema.ts";
import type { Log } from "../../../server/telemetry/log.ts";
import { capturedRequests } from "../../support/fixtures.ts";
import { recordingLog, silentLog } from "../../support/log.ts";
import { deliveryOf, type StandIn, type StandInRequest, startStandIn } from "./stand-in.ts";

let node: StandIn;
beforeEach(() => {
  node = startStandIn();
});
afterEach(() => node[Symbol.dispose]());

const daily = "loom-events-%Y.%m.%d";
const never = new AbortController().signal;
const one = deliveryOf(["{}"]);

function outputFor(index: string, installTemplate = true, url = node.url, log: Log = silentLog) {
  return createElasticsearchOutput({
    url: [url],
    index,
    user: undefined,
    pass: undefined,
    apiKey: undefined,
    caFile: undefined,
    installTemplate,
    log,
  });
}

/** Answers like a new cluster, unless `special` returns an answer. */
function answerWith(special: (request: StandInRequest) => Response | undefined): void {
  const bulk = node.answer;
  node.answer = (request) => {
    const answer = special(request);
    if (answer !== undefined) return answer;
    if (request.method === "GET") return new Response("{}", { status: 404 });
    return request.method === "PUT" ? Response.json({ acknowledged: true }) : bulk(request);
  };
}

const methods = () =>
  node.requests.map(({ method, path }) =>
    path.includes("/_bulk?") ? "_bulk" : `${method} ${path.split("?")[0]}`,
  );

describe("the template of an index", () => {
  test.each([
    ["loom-events", ["loom-events", "loom-events-*"], "loom-events"],
    ["loom-events-%Y.%m.%d", ["loom-events-*.*.*"], "loom-events"],
    ["honeypot-%Y", ["honeypot-*"], "loom-honeypot"],
    ["%Y-honeypot", ["*-honeypot"], "loom-honeypot"],
  ])("%s: patterns and name", (index, patterns, name) => {
    expect(indexTemplate(index).index_patterns).toEqual(patterns);
    expect(templateName(index)).toBe(name);
  });
});

describe("the fields of the template", () => {
  /** True if a field is indexed with a type of its own, or is inside an object that is stored as it is. */
  function isMapped(path: readonly string[]): boolean {
    let mapping: Mapping | undefined = { properties };
    for (const name of path) {
      if (mapping?.enabled === false) return true;
      mapping = mapping?.properties?.[name];
    }
    return mapping !== undefined && mapping.properties === undefined;
  }

  test("every field that Spip writes is mapped", () => {
    const events = capturedRequests.flatMap(({ body }) => JSON.parse(body) as unknown[]);
    const paths = events.flatMap((event) => leavesOf(event, []));
    expect(paths.length).toBeGreaterThan(100);
    expect(paths.filter((path) => !isMapped(path))).toEqual([]);
  });

  test.each([...enrichedFields])("%s, which Loom adds, is mapped", (field) => {
    expect(isMapped(field.split("."))).toBe(true);
  });

  test("they are fewer than the limit of a new index", () => {
    expect(countFields(properties as Fields)).toBeLessThan(1000);
  });

  test("a field that is not in the template takes up no field", () => {
    expect(indexTemplate("loom-events").template.mappings.dynamic).toBe(false);
  });
});

type Fields = Readonly<Record<string, Mapping>>;

interface Mapping {
  readonly enabled?: boolean;
  readonly properties?: Fields;
}

function leavesOf(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]));
}

function countFields(fields: Fields): number {
  return Object.values(fields).reduce(
    (sum, { properties: inner }) => sum + 1 + (inner === undefined ? 0 : countFields(inner)),
    0,
  );
}

describe("the installation", () => {
  test("installs the template before the first event, and only once", async () => {
    answerWith(() => undefined);
    const output = outputFor(daily);
    expect(await output.send(one, never)).toEqual({ kind: "delivered" });
    await output.send(one, never);
    expect(methods()).toEqual([
      "GET /_index_template/loom-events",
      "PUT /_index_template/loom-events",
      "_bulk",
      "_bulk",
    ]);
  });

  test.each([
    [daily, "index template installed"],
    ["%Y.%m.%d", "no index template was installed, because it would match indices of others too"],
  ])("for %s is logged", async (index, message) => {
    answerWith(() => undefined);
    const log = recordingLog();
    await outputFor(index, true, node.url, log).send(one, never);
    expect(log.lines.map((line) => line.message)).toEqual([message]);
  });

  test.each([
    [400, "delivered"],
    [404, "delivered"],
    [405, "delivered"],
    [401, "hold"],
    [500, "retry"],
  ] as const)(
    "after an answer %d to the question for a data stream has the outcome %s",
    async (status, kind) => {
      answerWith(({ path }) =>
        path.startsWith("/_data_stream/") ? new Response("{}", { status }) : undefined,
      );
      expect((await outputFor("loom-events").send(one, never)).kind).toBe(kind);
    },
  );

  test("is retried if the cluster cannot be reached", async () => {
    expect(await outputFor("loom-events", true, "http://127.0.0.1:9").send(one, never)).toEqual({
      kind: "retry",
      reason: "cannot install index template loom-events: http://127.0.0.1:9: no answer: ECONNREFUSED",
    });
    expect(await outputFor(daily, true, "http://127.0.0.1:9").send(one, never)).toMatchObject({
      kind: "retry",
    });
  });

  test("passes on Retry-After", async () => {
    answerWith(({ method }) =>
      method === "PUT" ? new Response("{}", { status: 500, headers: { "retry-after": "7" } }) : undefined,
    );
    expect(await outputFor(daily).send(one, never)).toEqual({
      kind: "retry",
      reason: "cannot install index template loom-events: HTTP 500",
      retryAfterMs: 7000,
    });
  });

  test("that is refused says how to do without it", async () => {
    answerWith(({ method }) => (method === "PUT" ? new Response("{}", { status: 403 }) : undefined));
    expect(await outputFor(daily).send(one, never)).toEqual({
      kind: "hold",
      reason:
        "cannot install index template loom-events: HTTP 403; fix this or set elasticsearch_install_template = false",
    });
  });

  test("sends nothing but events if it is off", async () => {
    await outputFor(daily, false).send(one, never);
    expect(methods()).toEqual(["_bulk"]);
  });

  test("does not replace a template of this version", async () => {
    const template = { version: templateVersion, index_patterns: indexTemplate(daily).index_patterns };
    answerWith(({ method }) =>
      method === "GET" ? Response.json({ index_templates: [{ index_template: template }] }) : undefined,
    );
    expect(await outputFor(daily).send(one, never)).toEqual({ kind: "delivered" });
    expect(methods()).not.toContain("PUT /_index_template/loom-events");
  });

  test.each([
    ["older", { version: templateVersion - 1, index_patterns: indexTemplate(daily).index_patterns }],
    ["for other indices", { version: templateVersion, index_patterns: ["loom-events"] }],
  ])("replaces a template that is %s", async (_, template) => {
    answerWith(({ method }) =>
      method === "GET" ? Response.json({ index_templates: [{ index_template: template }] }) : undefined,
    );
    await outputFor(daily).send(one, never);
    expect(methods()).toContain("PUT /_index_template/loom-events");
  });

  test("does not change the template of a data stream", async () => {
    answerWith(({ path }) =>
      path.startsWith("/_data_stream/")
        ? Response.json({ data_streams: [{ name: "loom-events" }] })
        : undefined,
    );
    expect(await outputFor("loom-events").send(one, never)).toEqual({ kind: "delivered" });
    expect(methods()).toEqual(["GET /_data_stream/loom-events", "_bulk"]);
  });

  test("does nothing for an index whose name is a date alone, because the template would match other indices", async () => {
    answerWith(() => undefined);
    expect(await outputFor("%Y.%m.%d").send(one, never)).toEqual({ kind: "delivered" });
    expect(methods()).toEqual(["_bulk"]);
  });

  test.each([
    [400, "hold"],
    [401, "hold"],
    [403, "hold"],
    [503, "retry"],
  ] as const)("that is refused with %d sends no event: %s", async (status, kind) => {
    answerWith(({ method }) => (method === "PUT" ? new Response("{}", { status }) : undefined));
    expect(await outputFor(daily).send(one, never)).toMatchObject({ kind });
    expect(methods()).not.toContain("_bulk");
  });

  test("sends events once it succeeds", async () => {
    let status = 403;
    answerWith(({ method }) => (method === "PUT" ? new Response("{}", { status }) : undefined));
    const output = outputFor(daily);
    await output.send(one, never);
    status = 200;
    expect(await output.send(one, never)).toEqual({ kind: "delivered" });
  });
});
