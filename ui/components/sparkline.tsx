const width = 96;
const height = 20;

/** Counts in equal steps of time as bars, the oldest on the left. The highest step fills the height. */
export function Sparkline({ values, label }: { values: readonly (number | null)[]; label: string }) {
  const peak = Math.max(1, ...values.map((value) => value ?? 0));
  const step = width / Math.max(1, values.length);
  const bars = values
    .map((value, i) => {
      if (!value) return "";
      const tall = Math.max(1, (value / peak) * height);
      return `M${(i * step).toFixed(1)} ${height}v-${tall.toFixed(1)}h${(step * 0.8).toFixed(1)}v${tall.toFixed(1)}z`;
    })
    .join("");
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path d={`M0 ${height}h${width}`} class="baseline" />
      <path d={bars} />
    </svg>
  );
}
