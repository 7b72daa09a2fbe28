import type { OutputState } from "../../server/management/api/answers.ts";
import type { Mood } from "./state-mark.tsx";

/** The mood of each state of an output. */
export const outputMoods: Readonly<Record<OutputState, Mood>> = {
  idle: "good",
  delivering: "good",
  retrying: "attention",
  holding: "bad",
};
