import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { templateName } from "../../../server/outputs/elasticsearch/index-names.ts";
import { createElasticsearchOutput } from "../../../server/outputs/elasticsearch/output.ts";
import { indexTemplate, templateVersion } from "../../../server/outputs/elasticsearch/schema.ts";
import { silentLog } from "../../support/log.ts";
import { deliveryOf, type StandIn, type StandInRequest, startStandIn } from "./stand-in.ts";

let node: StandIn;
beforeEach(() => {
  node = startStandIn();
});
afterEach(() => node[Symbol.dispose]());

const daily = "loom-events-%Y.%m.%d";
const never = new AbortController().signal;
const one = deliveryOf(["{}"]);

function outputFor(index: string, installTemplate = true) {
  return createElasticsearchOutput({
    url: [node.url],
    index,
    user: undefined,
    pass: undefined,
    apiKey: undefined,
    caFile: undefined,
    installTemplate,
    log: silentLog,
  });
}

/** Answers as a new cluster does, save where `special` has an answer. */
function answerWith(special: (request: StandInRequest) => Response | undefined): void {
  const bulk = node.answer;
  node.answer = (request) => {
    const answer = special(request);
    if (answer !== undefined) return answer;
    if (request.method === "GET") return new Response("{}", { status: 404 });
    return request.method === "PUT" ? Response.json({ acknowledged: true }) : bulk(request);
  };
}

const methods = () => node.requests.map(({ method, path }) => `${method} ${path.split("?")[0]}`);

describe("what the template is for", () => {
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

describe("installing", () => {
  test("the template is there before the first event, and is asked for once", async () => {
    answerWith(() => undefined);
    const output = outputFor(daily);
    expect(await output.send(one, never)).toEqual({ kind: "delivered" });
    await output.send(one, never);
    expect(methods()).toEqual([
      "GET /_index_template/loom-events",
      "PUT /_index_template/loom-events",
      "POST /_bulk",
      "POST /_bulk",
    ]);
  });

  test("switched off, nothing but events is sent", async () => {
    await outputFor(daily, false).send(one, never);
    expect(methods()).toEqual(["POST /_bulk"]);
  });

  test("an installed one of this version is left as it is", async () => {
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
  ])("an installed one that is %s is replaced", async (_, template) => {
    answerWith(({ method }) =>
      method === "GET" ? Response.json({ index_templates: [{ index_template: template }] }) : undefined,
    );
    await outputFor(daily).send(one, never);
    expect(methods()).toContain("PUT /_index_template/loom-events");
  });

  test("a data stream keeps its own", async () => {
    answerWith(({ path }) =>
      path.startsWith("/_data_stream/")
        ? Response.json({ data_streams: [{ name: "loom-events" }] })
        : undefined,
    );
    expect(await outputFor("loom-events").send(one, never)).toEqual({ kind: "delivered" });
    expect(methods()).toEqual(["GET /_data_stream/loom-events", "POST /_bulk"]);
  });

  test("an index that is called by its date alone gets none: it would match everybody's", async () => {
    answerWith(() => undefined);
    expect(await outputFor("%Y.%m.%d").send(one, never)).toEqual({ kind: "delivered" });
    expect(methods()).toEqual(["POST /_bulk"]);
  });

  test("a setting that the cluster does not know is left out", async () => {
    answerWith(({ method, body }) =>
      method === "PUT" && body.includes("ignore_dynamic_beyond_limit")
        ? Response.json({ error: { type: "invalid_index_template_exception" } }, { status: 400 })
        : undefined,
    );
    expect(await outputFor(daily).send(one, never)).toEqual({ kind: "delivered" });
  });

  test.each([
    [400, "hold"],
    [401, "hold"],
    [403, "hold"],
    [503, "retry"],
  ] as const)("refused with %d, no event is sent: %s", async (status, kind) => {
    answerWith(({ method }) => (method === "PUT" ? new Response("{}", { status }) : undefined));
    expect(await outputFor(daily).send(one, never)).toMatchObject({ kind });
    expect(methods()).not.toContain("POST /_bulk");
  });

  test("once it can be installed, events go", async () => {
    let status = 403;
    answerWith(({ method }) => (method === "PUT" ? new Response("{}", { status }) : undefined));
    const output = outputFor(daily);
    await output.send(one, never);
    status = 200;
    expect(await output.send(one, never)).toEqual({ kind: "delivered" });
  });
});
