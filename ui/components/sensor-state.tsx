import type { SensorState } from "../../server/management/api/answers.ts";
import { formatDuration } from "../../server/text/duration.ts";
import { type Mood, StateMark } from "./state-mark.tsx";

/** The name and mood of each state. A quiet sensor need not be down, so its name says what was observed. */
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

/** Spip sends an event within 10 s, so a larger difference comes from the sensor's clock. */
const clockOffSeconds = 300;

/** A warning if a sensor's clock is wrong: its timestamps and its certificate checks are wrong then. */
export function ClockMark({ behindSeconds }: { behindSeconds: number | null }) {
  if (behindSeconds === null || Math.abs(behindSeconds) <= clockOffSeconds) return null;
  const off = formatDuration(Math.abs(behindSeconds) * 1000);
  return (
    <p>
      <StateMark mood="attention">
        its clock is {off} {behindSeconds > 0 ? "behind" : "ahead of"} Loom's: check NTP on the sensor
      </StateMark>
    </p>
  );
}
