import type { SensorAnswer, SensorState } from "../../server/management/api/answers.ts";
import { formatDuration } from "../../server/text/duration.ts";
import { formatMoment } from "../format/times.ts";
import { type Mood, StateMark } from "./state-mark.tsx";

/**
 * The name and mood of each state. A sensor that is quiet or silent need not be down, so their names say what was observed.
 */
export const sensorStates: Readonly<Record<SensorState, { readonly name: string; readonly mood: Mood }>> = {
  reporting: { name: "reporting", mood: "good" },
  losing: { name: "losing events", mood: "bad" },
  refused: { name: "refused", mood: "bad" },
  quiet: { name: "quieter than usual", mood: "attention" },
  silent: { name: "silent", mood: "attention" },
  never_seen: { name: "never seen", mood: "calm" },
};

export function SensorStateMark({
  sensor: { state, lastBatchAt },
}: {
  sensor: Pick<SensorAnswer, "state" | "lastBatchAt">;
}) {
  const { name, mood } = sensorStates[state];
  const since = state === "silent" && lastBatchAt !== null ? ` since ${formatMoment(lastBatchAt)}` : "";
  return <StateMark mood={mood}>{`${name}${since}`}</StateMark>;
}

/** How far a clock is off, for a column: "3 h behind"; "right" if it is less than five minutes. */
export function ClockOffset({ sensor }: { sensor: Pick<SensorAnswer, "clockBehindSeconds" | "isClockOff"> }) {
  const { clockBehindSeconds, isClockOff } = sensor;
  if (clockBehindSeconds === null) return <span class="muted">not known</span>;
  if (!isClockOff) return <span class="muted">right</span>;
  const off = formatDuration(Math.abs(clockBehindSeconds) * 1000);
  return <StateMark mood="attention">{`${off} ${clockBehindSeconds > 0 ? "behind" : "ahead"}`}</StateMark>;
}

/** A warning if a sensor's clock is wrong: its timestamps and its certificate checks are wrong then. */
export function ClockMark({ sensor }: { sensor: Pick<SensorAnswer, "clockBehindSeconds" | "isClockOff"> }) {
  const { clockBehindSeconds, isClockOff } = sensor;
  if (clockBehindSeconds === null || !isClockOff) return null;
  const off = formatDuration(Math.abs(clockBehindSeconds) * 1000);
  return (
    <p>
      <StateMark mood="attention">
        its clock is {off} {clockBehindSeconds > 0 ? "behind" : "ahead of"} Loom's: check NTP on the sensor
      </StateMark>
    </p>
  );
}
