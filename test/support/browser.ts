import { afterAll, describe } from "bun:test";
import { closeBrowser } from "./view.ts";

/** A group of tests with a real browser; only `bun run test:browser` asks for them. */
export const describeInBrowser = process.env.LOOM_TEST_BROWSER === "1" ? describe : describe.skip;

/** Ends the browser when a file's tests are over. */
export function closeBrowserAfterwards(): void {
  afterAll(closeBrowser);
}
