import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { TailBye, TailCounts, TailHello } from "../../server/management/api/answers.ts";
import { goToSignIn, noteBuild } from "./api-client.ts";
import { parsedDocument } from "./tail-document.ts";

/** One event of the tail, with the exact text of its document. */
export interface TailArrival {
  readonly number: number;
  readonly receivedAt: number;
  readonly sensorId: string;
  readonly raw: string;
  readonly document: unknown;
}

export interface TailListener {
  hello(hello: TailHello): void;
  events(counts: TailCounts, arrivals: readonly TailArrival[]): void;
  bye(bye: TailBye): void;
  /** `nextTryAt` (this machine's clock) while it waits to try again. */
  state(state: "connecting" | "open" | "waiting", nextTryAt?: number, problem?: string): void;
}

/** The server sends something every 15 s: without that the connection is dead, whatever TCP believes. */
const silenceMs = 40_000;
const firstPauseMs = 1_000;
const maxPauseMs = 15_000;

/**
 * Opens the tail and keeps it open: after every end it connects again, from the last event on, with pauses that grow
 * to 15 s and differ from viewer to viewer. It never gives up.
 * @returns what closes it
 */
export function openTail(filter: URLSearchParams, listener: TailListener): () => void {
  const closing = new AbortController();
  let lastId = "";
  let failures = 0;

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      listener.state("connecting");
      const problem = await readOnce().catch((error: unknown) => problemOf(error));
      if (closing.signal.aborted) return;
      // Half of it by chance: a thousand pages must not come back at the same moment.
      const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** failures) * (0.5 + Math.random() / 2);
      failures++;
      listener.state("waiting", Date.now() + pauseMs, problem);
      await pause(pauseMs, closing.signal);
    }
  }

  /** Reads one connection to its end. @returns why it ended */
  async function readOnce(): Promise<string> {
    const silence = watchSilence();
    try {
      const response = await fetch(`/api/v1/tail?${filter}`, {
        headers: { accept: "text/event-stream", ...(lastId === "" ? {} : { "last-event-id": lastId }) },
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.any([closing.signal, silence.signal]),
      });
      noteBuild(response);
      if (response.status === 401) {
        goToSignIn();
        return "signed out";
      }
      if (!response.ok || !response.body)
        return response.status === 503
          ? "too many viewers, or Loom is stopping"
          : `Loom answered ${response.status}`;
      listener.state("open");
      const parser = createParser({ onEvent: take });
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        silence.heard();
        parser.feed(text);
      }
      return "Loom closed the connection";
    } finally {
      silence.end();
    }
  }

  function take({ event, data, id }: EventSourceMessage): void {
    if (id !== undefined && id !== "") lastId = id;
    if (event === "hello") {
      failures = 0;
      listener.hello(JSON.parse(data) as TailHello);
    } else if (event === "events") {
      const [counts = "{}", ...lines] = data.split("\n");
      listener.events(JSON.parse(counts) as TailCounts, lines.map(parseArrival));
    } else if (event === "bye") listener.bye(JSON.parse(data) as TailBye);
  }

  void run();
  return () => closing.abort();
}

const documentMember = ',"document":';

/** The document is the last member, and what stands before it is Loom's own: its text is cut out as it is. */
export function parseArrival(line: string): TailArrival {
  const at = line.indexOf(documentMember);
  const raw = line.slice(at + documentMember.length, -1);
  const { number, receivedAt, sensorId } = JSON.parse(`${line.slice(0, at)}}`) as TailArrival;
  return { number, receivedAt, sensorId, raw, document: parsedDocument(raw) };
}

function watchSilence() {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), silenceMs);
  return {
    signal: silent.signal,
    heard() {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), silenceMs);
    },
    end: () => clearTimeout(timer),
  };
}

function problemOf(error: unknown): string {
  const isSilent = error instanceof DOMException && error.name === "AbortError";
  return isSilent ? "nothing came for 40 s" : "Loom does not answer";
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
