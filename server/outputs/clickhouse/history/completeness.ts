import type { Completeness } from "../../../history/history-reader.ts";
import { DeadlinePassed } from "./deadline.ts";

/** @returns false if the deadline passed */
export async function untilDeadline(search: () => Promise<void>): Promise<boolean> {
  try {
    await search();
    return true;
  } catch (error) {
    if (error instanceof DeadlinePassed) return false;
    throw error;
  }
}

/** @param reached the time of the last row that was examined */
export function completeness(isComplete: boolean, reached: number): Completeness {
  return { time: "event", isComplete, searchedBackTo: isComplete ? undefined : reached, damagedEvents: 0 };
}
