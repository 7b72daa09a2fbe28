import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { signal } from "@preact/signals";
import { ApiError } from "../../../ui/models/api-client.ts";
import { Polled } from "../../../ui/models/polled.ts";

const intervalMs = 3_000;

interface Request {
  readonly path: string;
  readonly isAborted: () => boolean;
  readonly answer: (value: unknown) => Promise<void>;
  readonly fail: (error: unknown) => Promise<void>;
}

/** A `Polled` whose requests the test answers. */
function polledUnderTest({ isHiddenAtFirst = false } = {}) {
  const requests: Request[] = [];
  const isHidden = signal(isHiddenAtFirst);
  const api = {
    getJson: <Answer>(path: string, aborted?: AbortSignal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const settled = promise.catch(() => undefined);
      requests.push({
        path,
        isAborted: () => aborted?.aborted === true,
        answer: async (value) => {
          resolve(value as Answer);
          await settled;
        },
        fail: async (error) => {
          reject(error);
          await settled;
        },
      });
      return promise;
    },
  };
  const polled = new Polled<string>("/a", { api, intervalMs, isHidden });
  const pathsOf = () => requests.map(({ path }) => path);
  const last = () => requests.at(-1) as Request;
  return { polled, requests, isHidden, pathsOf, last };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe("polling", () => {
  test("requests at the start, and again one interval after each answer", async () => {
    const { polled, pathsOf, last } = polledUnderTest();
    polled.start();
    jest.advanceTimersByTime(10 * intervalMs);
    expect(pathsOf()).toEqual(["/a"]);
    await last().answer("first");
    expect(polled.answer.value).toBe("first");
    jest.advanceTimersByTime(intervalMs - 1);
    expect(pathsOf().length).toBe(1);
    jest.advanceTimersByTime(1);
    expect(pathsOf()).toEqual(["/a", "/a"]);
  });

  test("continues after a failure, and keeps the last answer", async () => {
    const { polled, pathsOf, last } = polledUnderTest();
    polled.start();
    await last().answer("first");
    const answeredAt = polled.answeredAt.value;
    jest.advanceTimersByTime(intervalMs);
    await last().fail(new ApiError(503, "unavailable", "Loom is not available"));
    expect([polled.answer.value, polled.problem.value?.status]).toEqual(["first", 503]);
    expect(polled.answeredAt.value).toBe(answeredAt);
    jest.advanceTimersByTime(intervalMs);
    expect(pathsOf().length).toBe(3);
    await last().answer("second");
    expect([polled.answer.value, polled.problem.value]).toEqual(["second", undefined]);
  });

  test("reports a failure that is not the API's as one without a status", async () => {
    const { polled, last } = polledUnderTest();
    polled.start();
    await last().fail(new SyntaxError("not JSON"));
    expect(polled.problem.value).toBeInstanceOf(ApiError);
    expect(polled.problem.value?.status).toBe(0);
  });

  test("records when the last answer arrived", async () => {
    jest.setSystemTime(5_000);
    const { polled, last } = polledUnderTest();
    polled.start();
    await last().answer("first");
    expect(polled.answeredAt.value).toBe(5_000);
  });

  test("does not double after a request in between", async () => {
    const { polled, pathsOf, last } = polledUnderTest();
    polled.start();
    await last().answer("first");
    const refreshed = polled.refresh();
    await last().answer("second");
    await refreshed;
    jest.advanceTimersByTime(intervalMs);
    expect(pathsOf().length).toBe(3);
  });

  test("ends with stop between two requests", async () => {
    const { polled, pathsOf, last } = polledUnderTest();
    polled.start();
    await last().answer("first");
    polled.stop();
    jest.advanceTimersByTime(10 * intervalMs);
    expect(pathsOf().length).toBe(1);
  });

  test("ends with stop: the request in flight is aborted and its answer ignored", async () => {
    const { polled, isHidden, pathsOf, last } = polledUnderTest();
    polled.start();
    const request = last();
    polled.stop();
    expect(request.isAborted()).toBe(true);
    await request.answer("late");
    jest.advanceTimersByTime(10 * intervalMs);
    isHidden.value = true;
    isHidden.value = false;
    expect([polled.answer.value, pathsOf().length]).toEqual([undefined, 1]);
  });
});

describe("a hidden page", () => {
  test("stops requesting, and requests at once when it is visible again", async () => {
    const { polled, isHidden, pathsOf, last } = polledUnderTest();
    polled.start();
    await last().answer("first");
    isHidden.value = true;
    jest.advanceTimersByTime(10 * intervalMs);
    expect(pathsOf().length).toBe(1);
    isHidden.value = false;
    expect(pathsOf().length).toBe(2);
  });

  test("does not poll after an answer that arrives while it is hidden", async () => {
    const { polled, isHidden, pathsOf, last } = polledUnderTest();
    polled.start();
    isHidden.value = true;
    await last().answer("first");
    jest.advanceTimersByTime(10 * intervalMs);
    expect([polled.answer.value, pathsOf().length]).toEqual(["first", 1]);
  });

  test("that is opened hidden requests once", async () => {
    const { polled, pathsOf, last } = polledUnderTest({ isHiddenAtFirst: true });
    polled.start();
    await last().answer("first");
    jest.advanceTimersByTime(10 * intervalMs);
    expect([polled.answer.value, pathsOf().length]).toEqual(["first", 1]);
  });
});

describe("another path", () => {
  test("is requested at once; the old answer stays until the new one arrives", async () => {
    const { polled, requests, pathsOf, last } = polledUnderTest();
    polled.start();
    await last().answer("a");
    polled.setPath("/b");
    expect([pathsOf(), polled.answer.value]).toEqual([["/a", "/b"], "a"]);
    await last().answer("b");
    expect(polled.answer.value).toBe("b");
    expect(requests.length).toBe(2);
  });

  test("is not overwritten by a late answer to the old path", async () => {
    const { polled, requests, last } = polledUnderTest();
    polled.start();
    polled.setPath("/b");
    expect(requests[0]?.isAborted()).toBe(true);
    await last().answer("b");
    await requests[0]?.answer("a");
    expect(polled.answer.value).toBe("b");
  });

  test("has no problem by the failure of the request that it aborted", async () => {
    const { polled, requests } = polledUnderTest();
    polled.start();
    polled.setPath("/b");
    await requests[0]?.fail(new ApiError(0, "", "aborted"));
    expect(polled.problem.value).toBeUndefined();
  });

  test("that is the same path requests nothing", () => {
    const { polled, pathsOf } = polledUnderTest();
    polled.start();
    polled.setPath("/a");
    expect(pathsOf()).toEqual(["/a"]);
  });
});
