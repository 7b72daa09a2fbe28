import type { Delivery } from "../../../server/outputs/output.ts";
import type { StoredEvent } from "../../../server/pipeline.ts";

/** Documents as they are in an outbox, numbered from `firstSequence`. */
export function eventsOf(documents: readonly string[], firstSequence = 1): StoredEvent[] {
  return documents.map((document, index) => ({
    sequence: firstSequence + index,
    sensorId: "vps-frankfurt-01",
    receivedAt: 1_795_000_000_000,
    document: Buffer.from(document),
  }));
}

export function deliveryOf(documents: readonly string[], firstSequence = 1): Delivery {
  return { outboxId: "outbox1", events: eventsOf(documents, firstSequence) };
}
