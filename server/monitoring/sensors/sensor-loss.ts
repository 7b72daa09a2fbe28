import type { RefusedRequest } from "../../ingest/refusal.ts";
import { unknownSensorId } from "../../telemetry/ledger.ts";
import { type HistoryClock, systemHistoryClock } from "../history/history-clock.ts";
import { type Loss, LossWindow } from "./loss-window.ts";

/**
 * What each sensor lost in the last five minutes: the requests with its token that were refused, compared with those that
 * were kept. A sensor may send refused batches again; Loom cannot know whether it does.
 */
export class SensorLoss {
  readonly #clock: HistoryClock;
  readonly #windows = new Map<string, LossWindow>();

  constructor(clock: HistoryClock = systemHistoryClock) {
    this.#clock = clock;
  }

  /**
   * Is called for each kept batch. Only for sensors of the configuration, because their windows are never removed.
   * @param events with those that rules removed
   */
  noteKept(sensorId: string, events: number): void {
    this.#windowOf(sensorId).noteKept(events, this.#clock.monotonic());
  }

  /** Is called for each refused request. Requests without a valid token, or without events, do not count. */
  noteRefused({ reason, sensorId, tokenSensorId, detail, events }: RefusedRequest): void {
    const owner = sensorId === unknownSensorId ? tokenSensorId : sensorId;
    if (owner === undefined || !events || events.count === 0) return;
    const { count, isEstimate } = events;
    this.#windowOf(owner).noteRefused({ reason, detail, events: count, isEstimate }, this.#clock.monotonic());
  }

  /** @returns undefined if nothing was refused in the last five minutes */
  of(sensorId: string): Loss | undefined {
    return this.#windows.get(sensorId)?.lossAt(this.#clock.monotonic());
  }

  #windowOf(sensorId: string): LossWindow {
    let window = this.#windows.get(sensorId);
    if (!window) {
      window = new LossWindow();
      this.#windows.set(sensorId, window);
    }
    return window;
  }
}
