import { expect, test } from "bun:test";
import { embeddedPageFiles } from "../../server/management/page-files.ts";

test("sources that nothing has built carry no page", () => {
  expect(embeddedPageFiles()).toBeUndefined();
});
