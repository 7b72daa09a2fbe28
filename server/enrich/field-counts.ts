import { type EnrichedField, enrichedFields } from "./additions.ts";

/** The number of events that got exactly these fields. */
export interface FieldTally {
  /** A bit mask; see `enrichedFields`. */
  readonly fields: number;
  events: number;
}

/**
 * Counts how many events got each field. Events are counted by the set of fields that they got, which takes one increment
 * per event. The addresses in one pair of databases have a few dozen different sets.
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

  /** The number of all events, including those that got no field. */
  get events(): number {
    let sum = 0;
    for (const { events } of this.#tallies.values()) sum += events;
    return sum;
  }

  /** The number of events that got the field. */
  eventsWith(field: EnrichedField): number {
    const bit = 1 << enrichedFields.indexOf(field);
    let sum = 0;
    for (const { fields, events } of this.#tallies.values()) if ((fields & bit) !== 0) sum += events;
    return sum;
  }
}
