import type { BuiltinDatabase } from "./builtin/builtin-database.ts";
import type { RecordFacts } from "./database-layouts.ts";
import type { ReadResult } from "./database-role.ts";
import type { DatabaseSlot } from "./database-slot.ts";

export interface RoleResult {
  readonly facts: RecordFacts;
  readonly result: ReadResult;
}

export type Database = DatabaseSlot | BuiltinDatabase;

const miss: RoleResult = { facts: { network: undefined, place: undefined }, result: "miss" };

/** The databases of one role, such as one for IPv4 and one for IPv6. */
export class RoleDatabases {
  readonly slots: readonly Database[];
  /** Whether the configuration lists the databases: then one of them may be an operator's own, with private networks. */
  readonly isList: boolean;

  constructor(slots: readonly Database[], isList: boolean) {
    this.slots = slots;
    this.isList = isList;
  }

  get isBuiltin(): boolean {
    return this.slots.some(({ isBuiltin }) => isBuiltin);
  }

  /** Changes whenever one of the databases is replaced. */
  get generation(): number {
    return this.slots.reduce((sum, slot) => sum + slot.generation, 0);
  }

  /** Asks the databases in order; the first one that knows the address counts. Never throws. */
  read(address: string): RoleResult {
    let unanswered = miss;
    for (const slot of this.slots) {
      const answer = slot.read(address);
      if (answer.result === "hit") return answer;
      // Another role may still use what a database knows: an ASN database does not need to be configured if this one
      // has networks too.
      if (unanswered === miss || answer.result === "error") unanswered = answer;
    }
    return unanswered;
  }
}
