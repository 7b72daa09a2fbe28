import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { QueryError } from "../../server/query/query-error.ts";
import { printable } from "../format/printable.ts";
import type { SuggestionOptions } from "../models/query-completion.ts";
import { withSuggestion } from "../models/tail-query.ts";
import { CutText } from "./cut-text.tsx";
import { QueryInput } from "./query-input.tsx";
import { useKeys } from "./use-keys.ts";

/** A query is applied this long after the last letter, so that not every letter opens a new stream. */
const typingPauseMs = 300;

export interface QueryLineProps {
  /** The query in the page's address, whether it is valid or not. */
  readonly text: string;
  /** What is wrong with it. */
  readonly error: QueryError | undefined;
  readonly onText: (text: string) => void;
  /** Enter was pressed, after `onText`. */
  readonly onEnter?: () => void;
  /** What is suggested while the query is typed; by default names of fields. */
  readonly completion?: SuggestionOptions;
}

const newEvents: SuggestionOptions = { hasPast: false, valuesOf: () => [] };

/** The input of a query (docs/search.md), and below it what is wrong with the query. */
export function QueryLine({ text, error, onText, onEnter, completion = newEvents }: QueryLineProps) {
  const typed = useSignal(text);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // A link or the browser's history may set another query. What is being typed differs from it only in blanks at its ends.
  useEffect(() => {
    if (typed.peek().trim() !== text) typed.value = text;
  }, [text, typed]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const apply = (changed: string) => {
    clearTimeout(timer.current);
    typed.value = changed;
    onText(changed.trim());
  };
  const type = (changed: string) => {
    typed.value = changed;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onText(changed.trim()), typingPauseMs);
  };
  useKeys([
    { key: "/", says: "write a query", run: () => input.current?.focus() },
    { key: "x", says: "clear the query", run: () => apply("") },
  ]);
  return (
    <>
      <search class="toolbar">
        <span class="query-line">
          <span aria-hidden="true">Query</span>
          <QueryInput
            input={input}
            text={typed.value}
            isWrong={error !== undefined}
            completion={completion}
            onType={type}
            onEnter={(entered) => {
              apply(entered);
              onEnter?.();
            }}
          />
        </span>
        {text !== "" && (
          <button type="button" class="quiet-button" onClick={() => apply("")}>
            Clear <kbd>x</kbd>
          </button>
        )}
      </search>
      {error && <Problem text={text} error={error} onText={apply} />}
    </>
  );
}

function Problem({ text, error, onText }: Pick<QueryLineProps, "text" | "onText"> & { error: QueryError }) {
  const { start, length, message, suggestion } = error;
  return (
    <p class="bad" role="alert">
      The query is not applied: {message}.{" "}
      <bdi class="wrong-query">
        {printable(text.slice(0, start))}
        <mark>{length === 0 ? "␣" : printable(text.slice(start, start + length))}</mark>
        {printable(text.slice(start + length))}
      </bdi>{" "}
      {suggestion !== undefined && (
        <button type="button" class="quiet-button" onClick={() => onText(withSuggestion(text, error))}>
          Replace with <CutText text={suggestion} class="mono" />
        </button>
      )}
    </p>
  );
}
