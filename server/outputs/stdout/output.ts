import { CannotKeep } from "../../pipeline.ts";
import type { DirectOutput, Output, SendOutcome } from "../output.ts";

/** Somebody may be reading along, and small writes cost little. */
const maxFlushIntervalMs = 100;

/**
 * stdout as one of several outputs, behind the outbox. A write that has begun is completed sooner or later. If an attempt
 * was aborted meanwhile, the next attempt waits for its write and does not write the events again.
 */
export function createStdoutDelivery(stdout: Pick<DirectOutput, "keep">): Output {
  let underWay: { readonly firstSequence: number; readonly outcome: Promise<SendOutcome> } | undefined;

  async function write(lines: Buffer, eventCount: number): Promise<SendOutcome> {
    try {
      await stdout.keep({ sensorId: "", eventCount, lines });
      return { kind: "delivered" };
    } catch (error) {
      return { kind: "retry", reason: error instanceof CannotKeep ? error.reason : String(error) };
    }
  }

  return {
    name: "stdout",
    maxFlushIntervalMs,
    async send({ events }, signal) {
      const firstSequence = events[0]?.sequence ?? -1;
      if (underWay?.firstSequence !== firstSequence) {
        const lines = Buffer.concat(events.flatMap(({ document }) => [document, newline]));
        underWay = { firstSequence, outcome: write(lines, events.length) };
      }
      const { outcome } = underWay;
      const givenUp = Promise.withResolvers<undefined>();
      const giveUp = () => givenUp.resolve(undefined);
      signal.addEventListener("abort", giveUp, { once: true });
      const result = await Promise.race([outcome, givenUp.promise]);
      signal.removeEventListener("abort", giveUp);
      if (result === undefined) return { kind: "retry", reason: "stdout is not read" };
      underWay = undefined;
      return result;
    },
    close() {},
  };
}

const newline = Buffer.from("\n");
