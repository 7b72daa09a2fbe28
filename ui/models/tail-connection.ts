import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { TailBye, TailCounts, TailHello } from "../../server/management/api/answers.ts";
import { formatDuration } from "../../server/text/duration.ts";
import type { ApiClient } from "./api-client.ts";
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
  /** @param nextTryAt when it reconnects, by this machine's clock; only while "waiting" */
  state(state: "connecting" | "open" | "waiting", nextTryAt?: number, problem?: string): void;
}

/** Loom sends something every 15 s: after this time without data the connection is dead, even if TCP reports no error. */
const silenceMs = 40_000;
const path = "/api/v1/tail";
const firstPauseMs = 1_000;
const maxPauseMs = 15_000;

/**
 * Opens the tail and keeps it open: it reconnects after every end and resumes after the last event received, with pauses
 * that grow to 15 s and are randomised per viewer. It never gives up.
 * @returns a function that closes it
 */
export function openTail(
  api: Pick<ApiClient, "openStream">,
  query: string,
  listener: TailListener,
): () => void {
  const connection = new TailConnection(api, query, listener);
  void connection.run();
  return () => connection.close();
}

class TailConnection {
  readonly #api: Pick<ApiClient, "openStream">;
  readonly #path: string;
  readonly #listener: TailListener;
  readonly #closing = new AbortController();
  /** The id of the last message, from which Loom resumes. */
  #lastId = "";
  /** Attempts in a row that got no message. */
  #failures = 0;

  constructor(api: Pick<ApiClient, "openStream">, query: string, listener: TailListener) {
    this.#api = api;
    this.#path = query === "" ? path : `${path}?${new URLSearchParams({ q: query })}`;
    this.#listener = listener;
  }

  close(): void {
    this.#closing.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#listener.state("connecting");
      const problem = await this.#readOnce().catch((error: unknown) => problemOf(error));
      if (signal.aborted) return;
      // Half of the pause is random, so that many pages do not reconnect at the same moment.
      const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** this.#failures) * (0.5 + Math.random() / 2);
      this.#failures++;
      this.#listener.state("waiting", Date.now() + pauseMs, problem);
      await pause(pauseMs, signal);
    }
  }

  /** Reads one connection to its end. @returns why it ended */
  async #readOnce(): Promise<string> {
    const silence = watchSilence();
    try {
      const headers = {
        accept: "text/event-stream",
        ...(this.#lastId === "" ? {} : { "last-event-id": this.#lastId }),
      };
      const signal = AbortSignal.any([this.#closing.signal, silence.signal]);
      const response = await this.#api.openStream(this.#path, headers, signal);
      if (!response.ok || !response.body) return refusalOf(response.status);
      this.#listener.state("open");
      const parser = createParser({ onEvent: (message) => this.#take(message) });
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        silence.heard();
        parser.feed(text);
      }
      return "Loom closed the connection";
    } finally {
      silence.end();
    }
  }

  #take({ event, data, id }: EventSourceMessage): void {
    if (id !== undefined && id !== "") this.#lastId = id;
    if (event === "hello") {
      this.#failures = 0;
      this.#listener.hello(JSON.parse(data) as TailHello);
    } else if (event === "events") {
      const [counts = "{}", ...lines] = data.split("\n");
      this.#listener.events(JSON.parse(counts) as TailCounts, lines.map(parseArrival));
    } else if (event === "bye") this.#listener.bye(JSON.parse(data) as TailBye);
  }
}

function refusalOf(status: number): string {
  if (status === 401) return "signed out";
  if (status === 503) return "too many viewers, or Loom is stopping";
  return `Loom answered HTTP ${status}`;
}

const documentMember = ',"document":';

/**
 * Parses one line of a message. The document is the last member and the text before it is written by Loom, so that the
 * document's text can be cut out unchanged.
 */
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
  return isSilent ? `no data for ${formatDuration(silenceMs)}` : "Loom does not answer";
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
