import type { IpAddress } from "../ip-address.ts";
import type { BuiltinDatabase } from "./builtin/builtin-database.ts";
import type { DatabaseSlot } from "./database-slot.ts";
import { type Answer, miss, skipped } from "./record-answers.ts";

export type Database = DatabaseSlot | BuiltinDatabase;

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
    let sum = 0;
    for (const slot of this.slots) sum += slot.generation;
    return sum;
  }

  /** Asks the databases in order; the first one that knows the address counts. Never throws. */
  read(address: IpAddress): Answer {
    let unanswered = this.slots.length === 0 ? skipped : miss;
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
