import { computed, createModel, effect, type ReadonlySignal, signal } from "@preact/signals";

const tickMs = 1_000;

/**
 * The time, in milliseconds since the epoch. It moves once a second while the page is visible, and
 * immediately when the page becomes visible.
 * @param serverAheadMs how far Loom's clock is ahead of this machine's
 */
export const ClockModel = createModel(
  (isHidden: ReadonlySignal<boolean>, serverAheadMs: ReadonlySignal<number>) => {
    const localNow = signal(Date.now());
    effect(() => {
      if (isHidden.value) return;
      localNow.value = Date.now();
      const timer = setInterval(() => {
        localNow.value = Date.now();
      }, tickMs);
      return () => clearInterval(timer);
    });
    return {
      /** This machine's clock. */
      localNow: computed(() => localNow.value),
      /** Loom's clock. */
      serverNow: computed(() => localNow.value + serverAheadMs.value),
    };
  },
);
