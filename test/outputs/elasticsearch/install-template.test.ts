import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createElasticsearchOutput } from "../../../server/outputs/elasticsearch/output.ts";
import { indexTemplate, templateVersion } from "../../../server/outputs/elasticsearch/schema.ts";
import type { Log } from "../../../server/telemetry/log.ts";
import { recordingLog, silentLog } from "../../support/log.ts";
import { deliveryOf, receivedAt, type StandIn, type StandInRequest, startStandIn } from "./stand-in.ts";

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
    certificateAuthorities: undefined,
    installTemplate,
    log,
    now: () => receivedAt,
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

/** Answers like a cluster with these templates; `simulated` is its answer about the index that a name would become. */
function answerWithTemplates(
  templates: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  simulated?: Readonly<Record<string, unknown>>,
): void {
  const index_templates = Object.entries(templates).map(([name, index_template]) => ({
    name,
    index_template,
  }));
  answerWith(({ method, path }) => {
    if (method === "GET" && path.startsWith("/_index_template?")) return Response.json({ index_templates });
    if (!path.includes("/_simulate_index/")) return undefined;
    return simulated === undefined ? new Response("{}", { status: 405 }) : Response.json(simulated);
  });
}

describe("templates of others", () => {
  const index = "logs-loom-%Y.%m.%d";
  const ours = { template: { mappings: { _meta: { loom: templateVersion } } } };

  async function linesFor(target = index) {
    const log = recordingLog();
    expect(await outputFor(target, true, node.url, log).send(one, never)).toEqual({ kind: "delivered" });
    return log.lines;
  }

  test.each([100, 900])(
    "with priority %d that make a data stream of the index are not shadowed",
    async (priority) => {
      answerWithTemplates({ logs: { index_patterns: ["logs-*-*"], priority, data_stream: {} } });
      expect(await linesFor()).toEqual([
        {
          level: "info",
          message: "no index template was installed, because another template makes the index a data stream",
          fields: { index: "logs-loom-2026.11.22", other: `logs (priority ${priority})` },
        },
      ]);
      expect(methods()).not.toContain("PUT /_index_template/loom-logs-loom");
    },
  );

  test("that make data streams of other names do not matter", async () => {
    answerWithTemplates({
      logs: { index_patterns: ["logs-*", "metrics-?"], priority: 100, data_stream: {} },
    });
    const lines = await linesFor("loom-events");
    expect(lines.map(({ message }) => message)).toEqual(["index template installed"]);
  });

  test("do not stop the update of a template that Loom installed over them", async () => {
    answerWithTemplates({
      logs: { index_patterns: ["logs-*-*"], priority: 100, data_stream: {} },
      "loom-logs-loom": { index_patterns: ["logs-loom-*.*.*"], priority: 500, version: 1 },
    });
    expect((await linesFor())[0]).toEqual({
      level: "info",
      message: "index template installed",
      fields: { template: "loom-logs-loom", version: templateVersion, replaced_version: 1 },
    });
  });

  const op = { index_patterns: ["*"], priority: 600 };
  const all = { index_patterns: ["loom*"] };
  const replaces = "Loom's index template is used for new indices instead of the other templates that match";
  const isReplaced =
    "another index template with a higher priority is used for new indices instead of Loom's";

  test.each([
    ["warn", isReplaced, { op, all }, { overlapping: [{ name: "loom-events" }, { name: "all" }] }],
    ["warn", isReplaced, { op, all }, undefined],
    [
      "info",
      replaces,
      { all: { ...all, priority: 7 }, op: all },
      { ...ours, overlapping: [{ name: "all" }] },
    ],
    ["info", replaces, { all: { ...all, priority: 7 }, op: all }, undefined],
  ] as const)("are named in the log: %s %s", async (level, message, templates, simulated) => {
    answerWithTemplates(templates, simulated);
    const others =
      "op" in templates && templates.op === op
        ? "op (priority 600), all (priority 0)"
        : "all (priority 7), op (priority 0)";
    expect((await linesFor("loom-events"))[1]).toEqual({
      level,
      message,
      fields: { index: "loom-events", template: "loom-events", others },
    });
  });

  test("of the legacy kind are named too", async () => {
    answerWithTemplates({}, { ...ours, overlapping: [{ name: "old" }] });
    expect((await linesFor("loom-events"))[1]).toMatchObject({
      message: replaces,
      fields: { others: "old (legacy)" },
    });
  });

  test("a template of Loom that an operator changed is not taken for one of others", async () => {
    answerWithTemplates({ "loom-events": { version: templateVersion, index_patterns: ["loom-*"] } }, {});
    expect(await linesFor("loom-events")).toEqual([]);
  });
});

describe("the installation", () => {
  test("installs the template before the first event, and only once", async () => {
    answerWith(() => undefined);
    const output = outputFor(daily);
    expect(await output.send(one, never)).toEqual({ kind: "delivered" });
    await output.send(one, never);
    expect(methods()).toEqual([
      "GET /_data_stream/loom-events-2026.11.22",
      "GET /_index_template",
      "PUT /_index_template/loom-events",
      "POST /_index_template/_simulate_index/loom-events-2026.11.22",
      "_bulk",
      "_bulk",
    ]);
  });

  test.each([
    [daily, "index template installed"],
    ["%Y.%m.%d", "no index template was installed, because it would also match other indices"],
  ])("for %s is logged", async (index, message) => {
    answerWith(() => undefined);
    const log = recordingLog();
    await outputFor(index, true, node.url, log).send(one, never);
    expect(log.lines.map((line) => line.message)).toEqual([message]);
  });

  test.each([
    [400, "delivered"],
    [403, "delivered"],
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

  test.each([
    ["with the same patterns", indexTemplate(daily).index_patterns],
    ["with patterns that match more", ["loom-*", "other"]],
  ])("does not replace a template of this version %s", async (_, index_patterns) => {
    answerWithTemplates({ "loom-events": { version: templateVersion, index_patterns } });
    expect(await outputFor(daily).send(one, never)).toEqual({ kind: "delivered" });
    expect(methods()).not.toContain("PUT /_index_template/loom-events");
  });

  test.each([
    ["older", { version: templateVersion - 1, index_patterns: indexTemplate(daily).index_patterns }],
    ["for other indices", { version: templateVersion, index_patterns: ["loom-events"] }],
    ["without a version", { index_patterns: indexTemplate(daily).index_patterns }],
  ])("replaces a template that is %s", async (_, template) => {
    answerWithTemplates({ "loom-events": template });
    await outputFor(daily).send(one, never);
    expect(methods()).toContain("PUT /_index_template/loom-events");
  });

  test("is retried if the list of templates is cut off", async () => {
    answerWith(({ path }) =>
      path.startsWith("/_index_template?") ? new Response('{"index_templates":[') : undefined,
    );
    expect(await outputFor(daily).send(one, never)).toMatchObject({ kind: "retry" });
  });

  test.each([
    ["an empty answer", {}],
    ["an empty list", { data_streams: [] }],
    ["another name", { data_streams: [{ name: "loom-events-other" }] }],
  ])("happens for an index that is not a data stream, which the cluster says with %s", async (_, json) => {
    answerWith(({ path }) => (path.startsWith("/_data_stream/") ? Response.json(json) : undefined));
    await outputFor("loom-events").send(one, never);
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
