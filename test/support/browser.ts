import { afterAll, describe } from "bun:test";
import { closeBrowser } from "./view.ts";

/** A group of tests that need a real browser. Only `bun run test:browser` runs them. */
export const describeInBrowser = process.env.LOOM_TEST_BROWSER === "1" ? describe : describe.skip;

/** Closes the browser after the last test of a file. */
export function closeBrowserAfterwards(): void {
  afterAll(closeBrowser);
}
