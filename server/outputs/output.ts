import type { StoredEvent } from "../pipeline.ts";

/** What an output makes of one attempt to send it events. */
export type SendOutcome =
  /** All of them are in. */
  | { readonly kind: "delivered" }
  /** Judged one by one; whatever is in neither list is in. */
  | {
      readonly kind: "judged";
      /** Refused for good, with the output's reason. */
      readonly refused: readonly { readonly event: StoredEvent; readonly reason: string }[];
      /** To be sent again, and why. */
      readonly retry: readonly StoredEvent[];
      readonly reason: string;
    }
  /** None of them counts as in: send the same again, later. */
  | { readonly kind: "retry"; readonly reason: string; readonly retryAfterMs?: number }
  /** Nothing can be delivered until somebody mends something: wrong password, missing table. Tried again all the same. */
  | { readonly kind: "hold"; readonly reason: string }
  /** The batch as it is will never be taken: too large, or one event in it is bad. */
  | { readonly kind: "split"; readonly reason: string };

/** A batch on its way: the events, and what names it so that a retry can be told from something new. */
export interface Delivery {
  readonly outboxId: string;
  /** In order, never empty. Their sequence numbers are the same at each attempt. */
  readonly events: readonly StoredEvent[];
}

/** Where events are delivered to. One folder below `outputs/` each. */
export interface Output {
  readonly name: string;
  /** Wins over a longer `flush_interval_ms`, where waiting for a fuller batch has no use. */
  readonly maxFlushIntervalMs?: number;
  /** Never rejects for what the other side does; the signal ends it at a timeout or a stop. */
  send(delivery: Delivery, signal: AbortSignal): Promise<SendOutcome>;
  /** Frees connections. */
  close(): void;
}
