import { join } from "node:path";
import { addressKey, addressOfKey } from "../../address-key.ts";
import type { NewHistoryValues } from "../../history/history-reader.ts";
import type { FirstSeenAnswer, FirstSeenColumn } from "../first-seen/answers.ts";
import { firstSeenFileName } from "../first-seen/file.ts";
import { FirstSeenReader } from "../first-seen/reader.ts";
import { type AnswerContext, type Steps, searchAll } from "./answer-context.ts";
import { ReadOnlyDatabase, UnreadableFile } from "./read-only-database.ts";
import { countsOf } from "./top-answer.ts";

/** When a value was first seen; undefined: there is no file of first times, or it cannot be read. @param value as texts show it */
export function firstSeenAnswer(
  { dir }: AnswerContext,
  column: FirstSeenColumn,
  value: string | number,
): FirstSeenAnswer | undefined {
  const key = column === "ip" ? (addressKey(String(value)) ?? "") : value;
  return tryRead(dir, (reader) => reader.firstSeen(column, key));
}

/** Values that were first seen lately, with their events since then; undefined: as for firstSeenAnswer. */
export function* newValuesAnswer(
  context: AnswerContext,
  {
    column,
    since,
    limit,
  }: { readonly column: FirstSeenColumn; readonly since: number; readonly limit: number },
): Steps<NewHistoryValues | undefined> {
  const found = tryRead(context.dir, (reader) => reader.newValues(column, since, limit));
  if (!found) return undefined;
  const oldest = found.values.at(-1)?.firstSeenAt;
  const counts = new Map(found.values.map(({ value }) => [value, 0]));
  const query = { terms: [], since: oldest, until: undefined };
  const { isComplete } =
    oldest === undefined
      ? { isComplete: true }
      : yield* searchAll(context, query, (block) => {
          const { dictionary } = block.part.column(column);
          const [events] = countsOf(block, column, dictionary);
          for (const [value, count] of counts) {
            const code = dictionary.find(value);
            if (code !== undefined) counts.set(value, count + (events[code] as number));
          }
          return true;
        });
  const values = found.values.map(({ value, firstSeenAt }) => ({
    value: column === "ip" ? addressOfKey(String(value)) : value,
    firstSeenAt,
    events: isComplete ? (counts.get(value) ?? 0) : undefined,
  }));
  return { ...found, values };
}

function tryRead<Answer>(dir: string, read: (reader: FirstSeenReader) => Answer): Answer | undefined {
  try {
    const file = new ReadOnlyDatabase(join(dir, firstSeenFileName));
    try {
      return file.try((database) => read(FirstSeenReader.of(database)));
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined;
    throw error;
  }
}
