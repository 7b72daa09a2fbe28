import { formatShare } from "../format/numbers.ts";

/** A share from 0 to 1 as a bar and a number; "no events" for null. */
export function ShareBar({ share }: { share: number | null }) {
  if (share === null) return <span class="muted number">no events</span>;
  return (
    <span class="share">
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <path class="baseline" d="M0 2h100" />
        <path d={`M0 2h${(share * 100).toFixed(1)}`} />
      </svg>
      <span class="number">{formatShare(share)}</span>
    </span>
  );
}
