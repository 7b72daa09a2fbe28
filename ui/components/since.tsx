import { formatDay, formatExact, formatShortClock } from "../format/times.ts";
import { useApp } from "./app-context.ts";
import { Ago } from "./times.tsx";

/** "since Loom started 2 h ago": for counts that begin with the process. */
export function SinceStart() {
  const overview = useApp().overview.answer.value;
  return <>since Loom started {overview && <Ago at={overview.startedAt} />}</>;
}

/** "since 23 Nov 2026, 14:03": for counts that continue after a restart. */
export function Since({ at }: { at: number }) {
  return (
    <>
      since{" "}
      <time dateTime={new Date(at).toISOString()} title={formatExact(at)}>
        {formatDay(at)}, {formatShortClock(at)}
      </time>
    </>
  );
}
