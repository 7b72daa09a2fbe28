import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { inventedDatabases } from "../mmdb/invented-databases.ts";
import { maxTestMs, plainConfig, startExecutable } from "../support/executable.ts";
import { capturedRequests } from "../support/fixtures.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(maxTestMs);

const clickhouseUrl = process.env.LOOM_TEST_CLICKHOUSE_URL;
const searchServers = [
  ["OpenSearch", process.env.LOOM_TEST_OPENSEARCH_URL],
  ["Elasticsearch", process.env.LOOM_TEST_ELASTICSEARCH_URL],
] as const;
for (const [name, searchUrl] of searchServers)
  if (clickhouseUrl === undefined || searchUrl === undefined)
    test.skip(`skipped: no ClickHouse, or no ${name}`, () => {});
  else describe(`Loom before ClickHouse and ${name}`, () => testsWith(clickhouseUrl, searchUrl));

function configFor(run: string, clickhouse: string, search: string): string {
  return `${plainConfig}
[enrichment]
geoip_db_path = "city.mmdb"
asn_db_path = "asn.mmdb"
[output]
type = ["stdout", "clickhouse", "elasticsearch"]
clickhouse_url = "${clickhouse}"
clickhouse_table = "${run}"
clickhouse_create_table = true
elasticsearch_url = "${search}"
elasticsearch_index = "${run}-%Y.%m.%d"
[output.outbox]
dir = "outbox"
flush_interval_ms = 100
`;
}
function testsWith(clickhouse: string, search: string): void {
  const run = `loom_t${Math.random().toString(36).slice(2, 8)}`;
  const config = configFor(run, clickhouse, search);

  test("both servers have the same documents as stdout, and can search them", async () => {
    await using loom = await startExecutable({ config, files: inventedDatabases });
    let events = 0;
    for (const { body } of capturedRequests) {
      expect(await send(loom.ingestUrl, body)).toBe(204);
      events += (JSON.parse(body) as unknown[]).length;
    }
    const wanted = await until("stdout has all", () => {
      const lines = loom.stdoutBytes().toString().split("\n").slice(0, -1);
      return lines.length === events && lines.toSorted();
    });
    expect(wanted.some((line) => line.includes('"country_iso_code":"GB"'))).toBe(true);

    expect(await until("ClickHouse has all", () => rowsOf(clickhouse, run, events))).toEqual(wanted);
    expect(
      await until("the search server has all", () => documentsOf(search, run, { match_all: {} }, events)),
    ).toEqual(wanted.map((line) => JSON.stringify(JSON.parse(line))).toSorted());
    const british = wanted.filter((line) => JSON.parse(line).source.geo?.country_iso_code === "GB").length;
    const byCountry = { term: { "source.geo.country_iso_code": "GB" } };
    expect(await documentsOf(search, run, byCountry, british)).toHaveLength(british);
    const inNetwork = wanted.filter((line) => JSON.parse(line).source.ip.startsWith("89.160.20.")).length;
    expect(inNetwork).toBeGreaterThan(0);
    const byNetwork = { term: { "source.ip": "89.160.20.0/24" } };
    expect(await documentsOf(search, run, byNetwork, inNetwork)).toHaveLength(inNetwork);
  });
}

/** Every event in the table, sorted; undefined while there are fewer than `count`. */
async function rowsOf(url: string, run: string, count: number): Promise<string[] | undefined> {
  const query = `SELECT event FROM default.${run} FORMAT TabSeparatedRaw`;
  const answer = await fetch(`${url}/?query=${encodeURIComponent(query)}`);
  const rows = answer.ok ? (await answer.text()).split("\n").slice(0, -1) : [];
  return rows.length === count ? rows.toSorted() : undefined;
}

/** Every document that a query finds, as compact JSON, sorted; undefined while there are fewer than `count`. */
async function documentsOf(
  url: string,
  run: string,
  query: object,
  count: number,
): Promise<string[] | undefined> {
  await fetch(`${url}/${run}-*/_refresh`, { method: "POST" });
  const answer = await fetch(`${url}/${run}-*/_search`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, size: 1000 }),
  });
  const found = answer.ok ? ((await answer.json()) as SearchAnswer).hits.hits : [];
  return found.length === count ? found.map(({ _source }) => JSON.stringify(_source)).toSorted() : undefined;
}

interface SearchAnswer {
  readonly hits: { readonly hits: readonly { readonly _source: unknown }[] };
}
