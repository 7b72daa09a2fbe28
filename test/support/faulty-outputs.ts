import { type FaultyServer, type Reply, type SeenRequest, startFaultyServer } from "./faulty-server.ts";

/** A stand-in for a database, which records everything that it receives and fails as the test says. */
export interface FaultyOutput extends FaultyServer {
  /** The lines for `[output]`. */
  readonly config: string;
  /** The stored documents, in the order of the outbox. */
  documents(): readonly string[];
  /** Errors of Loom: one id or token with two different contents. */
  readonly conflicts: readonly string[];
}

export interface FaultyElasticsearch extends FaultyOutput {
  /** The status for a document; default: 201. A document that is already stored gets 409 without a call. */
  statusFor: (document: string) => number;
  /** The reason for a document that is not stored; default: its status. */
  reasonFor: (document: string, status: number) => string;
}

/** The answer of a new cluster about an index or a template. */
const nothingFound: Reply = {
  status: 404,
  body: JSON.stringify({ error: { type: "index_not_found_exception" } }),
};

/** Behaves like Elasticsearch: `create` with an existing `_id` changes nothing and is answered 409. */
export async function startFaultyElasticsearch(): Promise<FaultyElasticsearch> {
  const stored = new Map<string, string>();
  const sent = new Map<string, string>();
  const conflicts: string[] = [];

  function create(id: string, document: string): number {
    if ((sent.get(id) ?? document) !== document) conflicts.push(id);
    sent.set(id, document);
    if (stored.has(id)) return 409;
    const status = output.statusFor(document);
    if (status === 201) stored.set(id, document);
    return status;
  }

  function commit({ method, url, body }: SeenRequest): Reply {
    const index = /^\/([^/]+)\/_bulk$/.exec(url.pathname)?.[1];
    if (index === undefined) return method === "GET" ? nothingFound : { status: 200, body: "{}" };
    const lines = body.split("\n");
    const items: unknown[] = [];
    for (let line = 0; line + 1 < lines.length; line += 2) {
      const action: { create: { _id: string } } = JSON.parse(lines[line] ?? "");
      const document = lines[line + 1] ?? "";
      const status = create(`${index}/${action.create._id}`, document);
      const error = { type: "some_exception", reason: output.reasonFor(document, status) };
      items.push({ create: status === 201 ? { status } : { status, error } });
    }
    return { status: 200, body: JSON.stringify({ errors: true, items }) };
  }

  const server = await startFaultyServer(commit);
  const output: FaultyElasticsearch = Object.assign(server, {
    config: `elasticsearch_url = "${server.url}"`,
    statusFor: () => 201,
    reasonFor: (_document: string, status: number) => `answered with ${status}`,
    conflicts,
    documents: () => inOrder(stored, (id) => Number(/-(\d+)$/.exec(id)?.[1])),
  });
  return output;
}

export interface FaultyClickhouse extends FaultyOutput {
  /** Returns true for a document from which a materialized column of the table cannot be computed; default: for none. */
  isBadRow: (document: string) => boolean;
}

/**
 * Behaves like ClickHouse from 22.2 with a table that has a deduplication window: an INSERT with a known token succeeds and
 * adds no rows. An INSERT with a bad row adds no rows and is answered with exception 32.
 */
export async function startFaultyClickhouse(): Promise<FaultyClickhouse> {
  /** The rows of each INSERT, by token. */
  const stored = new Map<string, string>();
  const conflicts: string[] = [];

  function commit({ url, body }: SeenRequest): Reply {
    const query = url.searchParams.get("query");
    if (query === "SELECT version()") return { status: 200, body: "24.8.4.13\n" };
    if (query === "SELECT 1") return { status: 200, body: "1\n" };
    if (documentsOf(body).some((document) => output.isBadRow(document)))
      return {
        status: 500,
        body: "Code: 32. DB::Exception: Attempt to read after eof. (ATTEMPT_TO_READ_AFTER_EOF)\n",
      };
    const token = url.searchParams.get("insert_deduplication_token") ?? "";
    if ((stored.get(token) ?? body) !== body) conflicts.push(token);
    if (!stored.has(token)) stored.set(token, body);
    return { status: 200, body: "" };
  }

  const server = await startFaultyServer(commit);
  const output: FaultyClickhouse = Object.assign(server, {
    config: `clickhouse_url = "${server.url}"`,
    isBadRow: () => false,
    conflicts,
    documents: () => inOrder(stored, firstOfToken).flatMap(documentsOf),
  });
  return output;
}

function inOrder(stored: ReadonlyMap<string, string>, sequenceOf: (name: string) => number): string[] {
  return [...stored]
    .map(([name, content]) => ({ sequence: sequenceOf(name), content }))
    .sort((a, b) => a.sequence - b.sequence)
    .map(({ content }) => content);
}

/** A token is "<outbox>-<first>-<last>", followed by "-<hash>" if there are gaps between them. */
function firstOfToken(token: string): number {
  return Number(/^[^-]+-(\d+)-/.exec(token)?.[1]);
}

function documentsOf(rows: string): string[] {
  return rows
    .trimEnd()
    .split("\n")
    .map((row): string => JSON.parse(row).event);
}
