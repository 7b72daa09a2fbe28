import { type EventFields, fieldsOf } from "../../server/event/event-fields.ts";
import type { SampledEvent } from "../../server/monitoring/sampling/sampled-event.ts";

const nothing: EventFields = fieldsOf({});
const noLine = Buffer.alloc(0);

export interface SampledParts extends Partial<EventFields> {
  readonly number?: number;
  readonly sensorId?: string;
  readonly receivedAt?: number;
}

/** Creates sampled events with consecutive numbers. */
export function createSampled(): (parts?: SampledParts) => SampledEvent {
  let ordinal = 0;
  let last = 0;
  return ({ number = last + 1, sensorId = "vps-1", receivedAt = 0, ...fields } = {}) => {
    last = number;
    return {
      number,
      ordinal: ++ordinal,
      receivedAt,
      sensorId,
      line: noLine,
      fields: { ...nothing, ...fields },
    };
  };
}
