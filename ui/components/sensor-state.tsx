import type { SensorState } from "../../server/management/api/answers.ts";
import { type Mood, StateMark } from "./state-mark.tsx";

/** Every state of a sensor in words; quiet is not dead. */
export const sensorStates: Readonly<Record<SensorState, { readonly name: string; readonly mood: Mood }>> = {
  reporting: { name: "reporting", mood: "good" },
  quiet: { name: "quieter than usual", mood: "attention" },
  rate_limited: { name: "rate-limited", mood: "attention" },
  refused: { name: "refused", mood: "bad" },
  never_seen: { name: "never seen", mood: "calm" },
};

export function SensorStateMark({ state }: { state: SensorState }) {
  const { name, mood } = sensorStates[state];
  return <StateMark mood={mood}>{name}</StateMark>;
}
