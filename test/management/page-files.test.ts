import { expect, test } from "bun:test";
import { embeddedPageFiles } from "../../server/management/page-files.ts";

test("sources that are not built contain no page", () => {
  expect(embeddedPageFiles()).toBeUndefined();
});
