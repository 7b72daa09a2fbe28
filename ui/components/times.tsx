import { useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { formatAgo, formatExact, formatUntil } from "../format/times.ts";
import { useApp } from "./app-context.ts";

/** "14 min ago", with the exact time as its tooltip; "never" for null. */
export function Ago({ at }: { at: number | null }) {
  if (at === null) return <span class="muted">never</span>;
  return <Relative key={at} at={at} write={formatAgo} />;
}

/** "in 12 s", with the exact time as its tooltip. */
export function Until({ at }: { at: number }) {
  return <Relative key={at} at={at} write={formatUntil} />;
}

/** Only the text changes with the clock, without rendering the component: a page may have a thousand of them. */
function Relative({ at, write }: { at: number; write: (at: number, now: number) => string }) {
  const { serverNow } = useApp().clock;
  const text = useComputed(() => write(at, serverNow.value));
  const exact = useMemo(() => formatExact(at), [at]);
  return (
    <time dateTime={new Date(at).toISOString()} title={exact}>
      {text}
    </time>
  );
}
