import type { OverviewAnswer } from "../../server/management/api/answers.ts";
import { Polled } from "./polled.ts";

export const overviewIntervalMs = 2_000;

/** Asked for by the shell for as long as the page is open: the navigation's marks and the first page show the same. */
export const overview = new Polled<OverviewAnswer>("/api/v1/overview", overviewIntervalMs);
