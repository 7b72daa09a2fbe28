const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const twoDigits = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A count with thousands separators: "1,268,450". */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** A count for a narrow column: "1.3M"; exact below 10,000. */
export function formatShortCount(count: number): string {
  return count < 10_000 ? whole.format(count) : short.format(count);
}

/** A rate per second; the smaller it is, the more decimals: "0.04", "12.3", "5,210". */
export function formatRate(perSecond: number): string {
  if (perSecond === 0) return "0";
  if (perSecond < 0.01) return "<0.01";
  if (perSecond < 1) return twoDigits.format(perSecond);
  return (perSecond < 100 ? oneDigit : whole).format(perSecond);
}

/** Bytes in binary units: "256 MiB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${(unit === 0 || value >= 100 ? whole : oneDigit).format(value)} ${byteUnits[unit]}`;
}

/** A share from 0 to 1: "97.3 %". "100 %" and "0 %" are exact; shares close to them are ">99.9 %" and "<0.1 %". */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 99.9 && percent < 100) return ">99.9 %";
  if (percent < 0.1 && percent > 0) return "<0.1 %";
  return `${(percent === 100 || percent === 0 ? whole : oneDigit).format(percent)} %`;
}

/** "1 event", "12 events". */
export function formatThings(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}
