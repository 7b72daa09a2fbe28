import type { SensorState } from "../../server/management/api/answers.ts";
import { formatDuration } from "../format/times.ts";
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

/** Spip sends within 10 s; what is minutes off is a clock. */
const clockOffSeconds = 300;

/** A sensor's clock where it is off: what it says of time, and its trust in certificates, are wrong then. */
export function ClockMark({ behindSeconds }: { behindSeconds: number | null }) {
  if (behindSeconds === null || Math.abs(behindSeconds) <= clockOffSeconds) return null;
  const off = formatDuration(Math.abs(behindSeconds) * 1000);
  return (
    <p>
      <StateMark mood="attention">
        its clock is {off} {behindSeconds > 0 ? "behind" : "ahead of"} Loom's: check NTP there
      </StateMark>
    </p>
  );
}
