import { type FirstSeenColumn, type FirstSeenLimits, firstSeenColumns } from "./answers.ts";

const maxAddresses = 2_000_000;
const maxValuesOfOthers = 250_000;
const maxFreshValues = 50_000;
/** About the size of a file that has as many values as it may. */
const fullSizeBytes = 150_000_000;
/** The share of a small disk or store that the file may take up. */
const share = 1 / 8;
const minValues = 100;

/** The limits of a file of first times. @param spaceBytes the size of the disk, or of the store if that is smaller */
export function limitsForSpace(spaceBytes: number): FirstSeenLimits {
  const factor = Math.min(1, (spaceBytes * share) / fullSizeBytes);
  const scaled = (max: number) => Math.max(minValues, Math.floor(max * factor));
  return {
    maxValues: Object.fromEntries(firstSeenColumns.map((column) => [column, scaled(maxValuesOf(column))])),
    maxFreshValues: scaled(maxFreshValues),
  };
}

export function maxValuesOf(column: FirstSeenColumn): number {
  return column === "ip" ? maxAddresses : maxValuesOfOthers;
}
