import { describe, expect, test } from "bun:test";
import { signal } from "@preact/signals";
import { ApiError } from "../../../ui/models/api-client.ts";
import { DeadLetters } from "../../../ui/models/dead-letters.ts";

const path = "/api/v1/outputs/elasticsearch/dead-letters";

/** The dead letters of an output, and every request for them. */
function deadLettersWith(problem?: ApiError) {
  const requests: [path: string, body?: object][] = [];
  const answerTo = <Answer>(request: [path: string, body?: object], answer: object) => {
    requests.push(request);
    return problem ? Promise.reject<Answer>(problem) : Promise.resolve(answer as Answer);
  };
  const letters = new DeadLetters("elasticsearch", {
    api: {
      getJson: <Answer>(at: string) => answerTo<Answer>([at], { sequence: 7 }),
      postJson: <Answer>(at: string, body: object) => answerTo<Answer>([at, body], { requested: 2 }),
    },
    intervalMs: 3_000,
    isHidden: signal(true),
  });
  return { letters, requests };
}

describe("dead letters", () => {
  test("are retried, the outcome is reported, and the list is requested again", async () => {
    const { letters, requests } = deadLettersWith();
    await letters.retry({ sequences: [3, 4] });
    expect(letters.outcome.value).toBe("2 events will be retried in a few seconds.");
    expect(requests).toEqual([[`${path}/retry`, { sequences: [3, 4] }], [path]]);
  });

  test("that cannot be retried have a reason", async () => {
    const { letters } = deadLettersWith(new ApiError(503, "unavailable", "Loom is not available"));
    await letters.retry({ all: true });
    expect(letters.outcome.value).toBe("Failed: Loom is not available.");
  });

  test("are opened in full and closed", async () => {
    const { letters, requests } = deadLettersWith();
    await letters.open(7);
    expect(requests[0]).toEqual([`${path}/7`]);
    expect([letters.opened.value?.sequence, letters.outcome.value]).toEqual([7, ""]);
    letters.close();
    expect(letters.opened.value).toBeUndefined();
  });

  test("are turned page by page, forward and back", () => {
    const { letters, requests } = deadLettersWith();
    letters.showNewer(50);
    letters.showNewer(100);
    letters.showOlder();
    letters.showOlder();
    expect(requests.map(([at]) => at)).toEqual([
      `${path}?after=50`,
      `${path}?after=100`,
      `${path}?after=50`,
      path,
    ]);
    expect(letters.after.value).toEqual([]);
  });
});
