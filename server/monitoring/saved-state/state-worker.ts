import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { openStateDatabase, type StateDatabase } from "./state-database.ts";
import type { StateAnswer, StateRequest } from "./state-messages.ts";

/*
 * The thread that owns the file of the dashboard's state. A disk that is slow or hangs delays only this thread. The file is an
 * entry point of the executable (scripts/compile.ts).
 */

declare const self: Worker;

let database: StateDatabase | undefined;

self.onmessage = ({ data }: MessageEvent<StateRequest>) => {
  let answer: StateAnswer;
  try {
    answer = answerTo(data);
  } catch (error) {
    answer = { did: "fail", reason: reasonOf(error) };
  }
  self.postMessage(answer);
};

function answerTo(request: StateRequest): StateAnswer {
  switch (request.do) {
    case "open": {
      if (request.isDirectoryCreated) mkdirSync(dirname(request.path), { recursive: true, mode: 0o700 });
      const { database: opened, ...found } = openStateDatabase(request.path);
      database = opened;
      return { did: "open", ...found };
    }
    case "write":
      database?.write(request.writes, request.removals);
      return { did: "write" };
    case "close":
      database?.close();
      database = undefined;
      return { did: "close" };
  }
}

/** SQLite's message, or that of a system call, without its path. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  if (code === "SQLITE_BUSY") return "another Loom uses it";
  return message.replace(/,? '.*$/s, "");
}
