import { Elysia } from "elysia";
import type { SensorsAnswer } from "./answers.ts";
import { errorAnswer, jsonAnswer } from "./json-answer.ts";
import type { SensorAnswers } from "./sensor-answers.ts";
import { sharedAnswer, sharedForMs } from "./shared-answer.ts";

export interface SensorsApiOptions {
  readonly sensors: SensorAnswers;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds, monotonic. */
  readonly monotonic?: () => number;
}

/** `GET /api/v1/sensors` and `GET /api/v1/sensors/:id`, the id percent-encoded. */
export function createSensorsApi({ sensors, now = Date.now, monotonic }: SensorsApiOptions) {
  const list = sharedAnswer(
    (): SensorsAnswer => ({ now: now(), countedSinceAt: sensors.countedSinceAt, sensors: sensors.all() }),
    sharedForMs,
    monotonic,
  );
  return new Elysia({ strictPath: true })
    .get("/api/v1/sensors", () => jsonAnswer(list()))
    .get("/api/v1/sensors/:id", ({ params }) => {
      // Elysia has decoded the id. It is null if it could not be decoded, although its type does not say so.
      const detail = sensors.detail(params.id ?? "");
      return detail ? jsonAnswer(detail) : errorAnswer("not_found");
    });
}
