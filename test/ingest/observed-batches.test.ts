import { expect, test } from "bun:test";
import { CannotKeep, type EnrichedBatch } from "../../server/pipeline.ts";
import { batchRequest, ingestWith } from "../support/ingest.ts";

test("a batch is observed after it is kept, with the lines that were kept", async () => {
  const order: string[] = [];
  let observed: EnrichedBatch | undefined;
  const { send, kept } = ingestWith({
    keep: async (batch) => {
      order.push("keep");
      kept.push(batch);
      await Promise.resolve();
      order.push("kept");
    },
    observe: (batch) => {
      order.push("observe");
      observed = batch;
    },
  });
  expect((await send(batchRequest())).status).toBe(204);
  expect(order).toEqual(["keep", "kept", "observe"]);
  expect(observed).toEqual(kept[0]);
});

test("a batch that is not kept is not observed", async () => {
  const observed: EnrichedBatch[] = [];
  const { send } = ingestWith({
    keep: () => Promise.reject(new CannotKeep("full")),
    observe: (batch) => void observed.push(batch),
  });
  expect((await send(batchRequest())).status).toBe(503);
  expect(observed).toEqual([]);
});
