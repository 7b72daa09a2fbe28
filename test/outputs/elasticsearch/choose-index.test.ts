import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createElasticsearchOutput } from "../../../server/outputs/elasticsearch/output.ts";
import { recordingLog } from "../../support/log.ts";
import { deliveryOf, type StandIn, startStandIn } from "./stand-in.ts";

let node: StandIn;
beforeEach(() => {
  node = startStandIn();
});
afterEach(() => node[Symbol.dispose]());

const never = new AbortController().signal;
const missing = { error: { type: "index_not_found_exception", reason: "no such index [loom-events]" } };
const daily = "/loom-events-2026.11.22/_bulk";
const single = "/loom-events/_bulk";

function newOutput(index?: string) {
  const log = recordingLog();
  const output = createElasticsearchOutput({
    url: [node.url],
    index,
    user: undefined,
    pass: undefined,
    apiKey: undefined,
    certificateAuthorities: undefined,
    installTemplate: false,
    log,
  });
  return { log, send: () => output.send(deliveryOf(["{}"]), never) };
}

/** Answers the question for the index as the test says, and accepts every event. */
function answerWith(answer: () => Response): void {
  const bulk = node.answer;
  node.answer = (request) => (request.method === "GET" ? answer() : bulk(request));
}

const paths = () => node.requests.map(({ path }) => path.split("?")[0]);

describe("an index that the configuration does not name", () => {
  test("is one for each day in a new cluster", async () => {
    answerWith(() => Response.json(missing, { status: 404 }));
    const { log, send } = newOutput();
    expect(await send()).toEqual({ kind: "delivered" });
    expect(paths()).toEqual(["/loom-events", daily]);
    expect(log.lines).toEqual([]);
  });

  test.each([
    ["an index", { "loom-events": { aliases: {} } }],
    ["an alias", { "loom-events-000001": { aliases: { "loom-events": { is_write_index: true } } } }],
    [
      "an alias of a daily index that it writes to",
      { "loom-events-2026.11.21": { aliases: { "loom-events": { is_write_index: true } } } },
    ],
    ["a data stream", { ".ds-loom-events-000001": { data_stream: "loom-events" } }],
    ["found but says nothing of itself", {}],
  ])("stays loom-events if that is %s, and that is logged once", async (_, json) => {
    answerWith(() => Response.json(json));
    const { log, send } = newOutput();
    await send();
    expect(await send()).toEqual({ kind: "delivered" });
    expect(paths()).toEqual(["/loom-events", single, single]);
    expect(log.lines).toEqual([
      {
        level: "info",
        message:
          "elasticsearch_index is not set, and an index of the earlier default exists: it stays in use",
        fields: { index: "loom-events", to_change: 'set elasticsearch_index = "loom-events-%Y.%m.%d"' },
      },
    ]);
  });

  test("is one for each day if loom-events is only an alias to search those", async () => {
    const aliases = { "loom-events": {} };
    answerWith(() =>
      Response.json({ "loom-events-2026.11.20": { aliases }, "loom-events-2026.11.21": { aliases } }),
    );
    await newOutput().send();
    expect(paths()).toEqual(["/loom-events", daily]);
  });

  test("stays loom-events if the user may not ask, with a warning", async () => {
    answerWith(() => new Response("{}", { status: 403 }));
    const { log, send } = newOutput();
    expect(await send()).toEqual({ kind: "delivered" });
    expect(paths()).toEqual(["/loom-events", single]);
    expect(log.lines).toMatchObject([{ level: "warn" }]);
  });

  test.each([
    [401, "{}", "hold"],
    [404, "not found", "hold"],
    [503, "{}", "retry"],
    [200, '{"loom-ev', "retry"],
  ] as const)("is not chosen after HTTP %d %s, and no event is sent: %s", async (status, body, kind) => {
    answerWith(() => new Response(body, { status }));
    expect(await newOutput().send()).toMatchObject({ kind });
    expect(paths()).toEqual(["/loom-events"]);
  });

  test("stays the same when the other one appears later", async () => {
    let answer = () => new Response("{}", { status: 503 });
    answerWith(() => answer());
    const { send } = newOutput();
    await send();
    answer = () => Response.json(missing, { status: 404 });
    await send();
    answer = () => Response.json({ "loom-events": { aliases: {} } });
    await send();
    expect(paths()).toEqual(["/loom-events", "/loom-events", daily, daily]);
  });
});

test("an index that the configuration names is used without a question", async () => {
  await newOutput("loom-events").send();
  expect(paths()).toEqual([single]);
});
