import { columnValuesOf } from "../../event/columns.ts";
import type { PayloadValues } from "../../event/field-columns.ts";
import { payloadOf } from "../../event/payload.ts";
import { documentOf, type SampledEvent } from "../sampling/sampled-event.ts";

/** The most events of one generation; one takes a few hundred bytes. */
const defaultMaxCount = 8_192;

/**
 * The column values that are read from payloads, for viewers that filter by them. Each event is parsed once for all viewers.
 * The cache has two generations, and the older one is evicted as a whole.
 */
export class PayloadColumns {
  readonly #maxCount: number;
  /** Both by ordinal. */
  #young = new Map<number, PayloadValues>();
  #old = new Map<number, PayloadValues>();

  constructor(maxCount = defaultMaxCount) {
    this.#maxCount = maxCount;
  }

  of(event: SampledEvent): PayloadValues {
    return this.#young.get(event.ordinal) ?? this.#old.get(event.ordinal) ?? this.#read(event);
  }

  #read({ ordinal, sensorId, line, fields }: SampledEvent): PayloadValues {
    const document = documentOf(line);
    const { payload, user, password } = columnValuesOf(sensorId, document, fields, payloadOf(document));
    if (this.#young.size === this.#maxCount) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    const values = { payload, user, password };
    this.#young.set(ordinal, values);
    return values;
  }
}
