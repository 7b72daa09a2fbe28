import { expect, test } from "bun:test";
import { CannotKeep, type EnrichedBatch } from "../../../server/pipeline.ts";
import { batchRequest, ingestWith } from "../../support/ingest.ts";

test("a batch is watched once it is kept, with the lines that were kept", async () => {
  const order: string[] = [];
  let watched: EnrichedBatch | undefined;
  const { send, kept } = ingestWith({
    keep: async (batch) => {
      order.push("keep");
      kept.push(batch);
      await Promise.resolve();
      order.push("kept");
    },
    watch: (batch) => {
      order.push("watch");
      watched = batch;
    },
  });
  expect((await send(batchRequest())).status).toBe(204);
  expect(order).toEqual(["keep", "kept", "watch"]);
  expect(watched).toEqual(kept[0]);
});

test("a batch that is not kept is not watched", async () => {
  const watched: EnrichedBatch[] = [];
  const { send } = ingestWith({
    keep: () => Promise.reject(new CannotKeep("full")),
    watch: (batch) => void watched.push(batch),
  });
  expect((await send(batchRequest())).status).toBe(503);
  expect(watched).toEqual([]);
});
