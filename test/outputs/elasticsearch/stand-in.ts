import type { Delivery } from "../../../server/outputs/output.ts";
import type { StoredEvent } from "../../../server/pipeline.ts";

export const receivedAt = Date.UTC(2026, 10, 22, 16, 24, 59);

/** Documents as they are in the outbox, numbered from 1. */
export function deliveryOf(documents: readonly string[], outboxId = "outbox-1"): Delivery {
  return { outboxId, events: documents.map((text, index) => storedEvent(index + 1, text)) };
}

export function storedEvent(sequence: number, text = `{"n":${sequence}}`): StoredEvent {
  return { sequence, sensorId: "vps-frankfurt-01", receivedAt, document: Buffer.from(text) };
}

export interface StandInRequest {
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  readonly headers: Headers;
  /** The decompressed body. */
  readonly body: string;
}

export interface StandIn extends Disposable {
  readonly url: string;
  readonly requests: readonly StandInRequest[];
  /** Answers all further requests. */
  answer: (request: StandInRequest) => Response | Promise<Response>;
}

/** An HTTP server that answers as a test says, for answers that a real node does not give on demand. It accepts everything at first. */
export function startStandIn(tls?: { cert: string; key: string }): StandIn {
  const requests: StandInRequest[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    ...(tls && { tls }),
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const seen = {
        method: request.method,
        path: pathname + search,
        headers: request.headers,
        body: await readBody(request),
      };
      requests.push(seen);
      return standIn.answer(seen);
    },
  });
  const standIn: StandIn = {
    url: `${tls ? "https://localhost" : "http://127.0.0.1"}:${server.port}`,
    requests,
    answer: (request) =>
      bulkAnswer(
        request.body
          .split("\n")
          .filter((line) => line.startsWith('{"create"'))
          .map(() => 201),
      ),
    [Symbol.dispose]: () => void server.stop(true),
  };
  return standIn;
}

async function readBody(request: Request): Promise<string> {
  if (request.headers.get("content-encoding") !== "gzip") return request.text();
  return Buffer.from(Bun.gunzipSync(await request.arrayBuffer())).toString();
}

/** An answer to `_bulk` with an item for each status. Items with another status than 201 have an error. */
export function bulkAnswer(
  statuses: readonly number[],
  error: unknown = { type: "some_exception", reason: "why" },
) {
  return Response.json({
    errors: statuses.some((status) => status !== 201),
    items: statuses.map((status) => ({ create: status === 201 ? { status } : { status, error } })),
  });
}
