import type { OutputState } from "../../server/management/api/answers.ts";
import type { ErrorClass } from "../../server/outputs/delivery/attempt.ts";
import type { Mood } from "./state-mark.tsx";

/** The mood of each state of an output. */
export const outputMoods: Readonly<Record<OutputState, Mood>> = {
  idle: "good",
  delivering: "good",
  retrying: "attention",
  holding: "bad",
};

/** The class of an output's last error, in the terms of the documentation. */
const errorClassNames: Readonly<Record<ErrorClass, string>> = {
  retry: "retried",
  hold: "blocked",
  rejected: "rejected",
  split: "batch too large",
  timeout: "timed out",
  stopped: "stopped",
  defect: "defect in Loom",
  disk: "disk error",
};

export function errorClassName(errorClass: string): string {
  return (errorClassNames as Readonly<Record<string, string>>)[errorClass] ?? errorClass;
}
