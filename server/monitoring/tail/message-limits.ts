import type { SampledEvent } from "../sampling/sampled-event.ts";
import { maxBytesInMessage } from "./tail-message.ts";

/** The most events in one message. */
export const maxMessageEvents = 100;
/** The most bytes of events in one message; a single event may be larger. */
const maxMessageBytes = 256 * 1024;

/** How many of these events, from the first one on, fit into one message: at least one, if there is one. */
export function fittingCount(events: readonly SampledEvent[]): number {
  let bytes = 0;
  let count = 0;
  for (const event of events) {
    bytes += maxBytesInMessage(event);
    if (count === maxMessageEvents || (count > 0 && bytes > maxMessageBytes)) break;
    count++;
  }
  return count;
}
