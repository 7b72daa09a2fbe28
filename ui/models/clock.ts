import { computed, signal } from "@preact/signals";
import { serverAheadMs } from "./api-client.ts";

const here = signal(Date.now());

setInterval(() => {
  if (!document.hidden) here.value = Date.now();
}, 1_000);

document.addEventListener("visibilitychange", () => {
  here.value = Date.now();
});

/** What Loom's clock says, in milliseconds since the epoch; moves once a second. */
export const serverNow = computed(() => here.value + serverAheadMs.value);
/** What this machine's clock says; moves once a second. */
export const localNow = computed(() => here.value);
