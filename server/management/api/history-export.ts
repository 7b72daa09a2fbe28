import type { ExportFormat } from "../../history/export-formats.ts";
import type { HistoryReader } from "../../history/history-reader.ts";
import type { Query } from "../../query/query.ts";

export interface ExportOptions {
  readonly reader: Pick<HistoryReader, "export">;
  readonly query: Query;
  readonly format: ExportFormat;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch, for the name of the file. */
  readonly now: number;
  /**
   * Called when the export ends early, but not because the client went away. The connection is closed then, so that the
   * client notices it.
   */
  readonly onError: (error: Error) => void;
}

/**
 * Streams an export as it is read: nothing is read that the client has no room for.
 * @throws the error of the first read, so that it can be answered with a status
 */
export async function exportAnswer(options: ExportOptions): Promise<Response> {
  const { reader, query, format, signal, now, onError } = options;
  const abort = new AbortController();
  const gone = AbortSignal.any([signal, abort.signal]);
  const events = reader.export(query, { signal: gone })[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let next = events.next();
  // Why nothing can be read, if so.
  await next;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      if (format.head !== "") controller.enqueue(encoder.encode(format.head));
    },
    async pull(controller) {
      try {
        const { done, value } = await next;
        if (done) return controller.close();
        controller.enqueue(encoder.encode(format.encode(value)));
        next = events.next();
        // Its error is thrown by the next pull.
        next.catch(() => {});
      } catch (error) {
        if (!gone.aborted) onError(error as Error);
        controller.error(error);
      }
    },
    async cancel() {
      abort.abort();
      await events.return?.();
    },
  });
  const day = new Date(now).toISOString().slice(0, 10);
  return new Response(stream, {
    headers: {
      "content-type": format.contentType,
      "content-disposition": `attachment; filename="loom-events-${day}.${format.extension}"`,
      "cache-control": "no-store",
    },
  });
}
