import { type FaultyServer, startFaultyServer } from "./faulty-server.ts";

export interface PickyElasticsearch extends FaultyServer {
  /** Returns true for the documents that it rejects, given as text. */
  refuses: (document: string) => boolean;
}

/** A stand-in for Elasticsearch that rejects some documents with this reason and accepts all others. */
export async function startPickyElasticsearch(
  refuses: (document: string) => boolean,
  reason: string,
): Promise<PickyElasticsearch> {
  const refusal = { status: 400, error: { type: "document_parsing_exception", reason } };
  const server = await startFaultyServer(({ method, url, body }) => {
    if (method === "GET")
      return { status: 404, body: JSON.stringify({ error: { type: "index_not_found_exception" } }) };
    if (!url.pathname.endsWith("/_bulk")) return { status: 200, body: "{}" };
    const documents = body
      .trimEnd()
      .split("\n")
      .filter((_, i) => i % 2 === 1);
    const items = documents.map((document) => ({
      create: picky.refuses(document) ? refusal : { status: 201 },
    }));
    const errors = items.some(({ create }) => create.status !== 201);
    return { status: 200, body: JSON.stringify({ errors, items }) };
  });
  const picky: PickyElasticsearch = Object.assign(server, { refuses });
  return picky;
}
