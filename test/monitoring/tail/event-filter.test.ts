import { describe, expect, test } from "bun:test";
import { columnNames, columnValuesOf } from "../../../server/event/columns.ts";
import { fieldsOf } from "../../../server/event/event-fields.ts";
import { FieldColumns } from "../../../server/event/field-columns.ts";
import { payloadOf } from "../../../server/event/payload.ts";
import { EventFilter } from "../../../server/monitoring/tail/event-filter.ts";
import { PayloadColumns } from "../../../server/monitoring/tail/payload-columns.ts";
import { SearchTexts } from "../../../server/monitoring/tail/search-texts.ts";
import { parsed } from "../../query/queries.ts";

const payload = `GET /Ünder HTTP/1.1\r\nAuthorization: Basic ${btoa("root:hunter2")}\r\n\r\n`;
const document = {
  source: { ip: "81.2.69.142", geo: { country_iso_code: "GB" }, as: { number: 20712 } },
  destination: { port: 22 },
  url: { path: "/x" },
  user_agent: { original: "curl/8" },
  tls: { client: { hash: { ja4: "t13d" } } },
  http: { request: { hash: { ja4h: "ge11" } } },
  ssh: { client: { hash: { hassh: "abcd" } } },
  network: { community_id: "1:xyz=" },
  event: { id: "unique", original_payload_hex: Buffer.from(payload).toString("hex") },
  tags: ["scanner", "shodan"],
};

function eventOf(of: unknown = document, ordinal = 1) {
  const line = Buffer.from(JSON.stringify(of));
  return { number: ordinal, ordinal, receivedAt: 0, sensorId: "vps-1", line, fields: fieldsOf(of) };
}

function isMatch(query: string, of: unknown = document): boolean {
  const sources = { searchTexts: new SearchTexts(), payloadColumns: new PayloadColumns() };
  return new EventFilter(parsed(query)).matches(eventOf(of), sources);
}

test("a filter without terms matches everything, and reads nothing", () => {
  const filter = new EventFilter(parsed(""));
  expect([filter.isUnfiltered, filter.readsDocuments, isMatch("")]).toEqual([true, false, true]);
});

describe("an event is found by each of its columns:", () => {
  const cases: readonly [fitting: string, other: string][] = [
    ["sensor:vps-1", "sensor:vps"],
    ["country:GB", "country:SE"],
    ["as:20712", "as:2071"],
    ["port:22", "port:2222"],
    ["ip:81.2.69.142", "ip:81.2.69.14"],
    ["81.2.0.0/16", "81.3.0.0/16"],
    ["path:/x", "path:/"],
    ["agent:curl*", "agent:Curl*"],
    ["ja4:t13d", "ja4:T13D"],
    ["ja4h:ge11", "ja4h:ge1"],
    ["hassh:abcd", "hassh:abcde"],
    ["community_id:1:xyz=", "community_id:1:xyz"],
    ["tag:shodan", "tag:sho"],
    ["user:root", "user:admin"],
    ["password:hunter2", "password:hunter"],
    ["payload:*", "-payload:*"],
    ["/ünder", "/over"],
    ['"http/1.1\\r\\nauth"', "unique"],
  ];
  for (const [fitting, other] of cases)
    test(`by ${fitting}, not by ${other}`, () => {
      expect([isMatch(fitting), isMatch(other)]).toEqual([true, false]);
    });

  test("an event without values has none of them", () => {
    const found = cases.map(([fitting]) => fitting).filter((query) => isMatch(query, {}));
    expect(found).toEqual(["sensor:vps-1"]);
  });
});

test("the values are those of the columns", () => {
  const bytes = payloadOf(document);
  const values = columnValuesOf("vps-1", document, fieldsOf(document), bytes);
  const fields = new FieldColumns("vps-1", fieldsOf(document), () => values);
  expect(columnNames.map((name) => fields[name])).toEqual(columnNames.map((name) => values[name]));
  expect(columnNames.filter((name) => values[name] === undefined)).toEqual([]);
});

test("documents are read only for text and for what payloads contain", () => {
  const reads = (query: string) => new EventFilter(parsed(query)).readsDocuments;
  const queries = ["port:22 tag:a", "port:22 a", "user:a", "-payload:*"];
  expect(queries.map(reads)).toEqual([false, true, true, true]);
});

test("the values of a payload are read once for all viewers, and the cache is bounded", () => {
  const columns = new PayloadColumns(2);
  let reads = 0;
  const events = [1, 2, 3, 4, 5].map((ordinal) => {
    const event = eventOf(document, ordinal);
    const text = event.line.toString();
    event.line.toString = () => {
      reads++;
      return text;
    };
    return event;
  });
  for (const event of events) expect(columns.of(event)).toEqual(columns.of(event));
  expect(reads).toBe(5);
  // Of the first two nothing is left; the others are in the two generations.
  for (const event of events.slice(2)) columns.of(event);
  expect(reads).toBe(5);
  for (const event of events.slice(0, 2)) columns.of(event);
  expect(reads).toBe(7);
});
