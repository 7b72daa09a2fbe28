import { type EnrichedField, enrichedFields } from "./additions.ts";

/** Events that got exactly these fields. */
export interface FieldTally {
  /** As a mask, see `enrichedFields`. */
  readonly fields: number;
  events: number;
}

/**
 * How many events got each field. Events are counted by what they got together, which is one increment an event;
 * addresses in the same databases make some dozen different masks.
 */
export class FieldCounts {
  readonly #tallies = new Map<number, FieldTally>();

  tallyOf(fields: number): FieldTally {
    let tally = this.#tallies.get(fields);
    if (!tally) {
      tally = { fields, events: 0 };
      this.#tallies.set(fields, tally);
    }
    return tally;
  }

  /** Events, whatever they got. */
  get events(): number {
    let sum = 0;
    for (const { events } of this.#tallies.values()) sum += events;
    return sum;
  }

  /** Events that got the field. */
  eventsWith(field: EnrichedField): number {
    const bit = 1 << enrichedFields.indexOf(field);
    let sum = 0;
    for (const { fields, events } of this.#tallies.values()) if ((fields & bit) !== 0) sum += events;
    return sum;
  }
}
