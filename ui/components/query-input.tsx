import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useId } from "preact/hooks";
import { maxQueryLength } from "../../server/query/parse-query.ts";
import { type Suggestion, type SuggestionOptions, suggestionsAt } from "../models/query-completion.ts";
import { CutText } from "./cut-text.tsx";

export interface QueryInputProps {
  readonly input: RefObject<HTMLInputElement | null>;
  readonly text: string;
  readonly isWrong: boolean;
  readonly completion: SuggestionOptions;
  readonly onType: (text: string) => void;
  /** Enter was pressed. */
  readonly onEnter: (text: string) => void;
}

/** The field of a query. What could be typed next is listed below it: arrow keys choose, Enter and Tab insert, Escape closes. */
export function QueryInput({ input, text, isWrong, completion, onType, onEnter }: QueryInputProps) {
  const listId = useId();
  const suggestions = useSignal<readonly Suggestion[]>([]);
  const chosen = useSignal(-1);
  const suggest = (found: readonly Suggestion[]) => {
    suggestions.value = found;
    chosen.value = -1;
  };
  const insert = ({ text: changed, cursor }: Suggestion) => {
    const element = input.current;
    if (!element) return;
    // The cursor is set here, because it would be at the end after the field is drawn with another text.
    element.value = changed;
    element.setSelectionRange(cursor, cursor);
    onType(changed);
    suggest(suggestionsAt(changed, cursor, completion));
  };
  const press = (event: KeyboardEvent) => {
    const suggestion = suggestions.value[chosen.value];
    if (event.key === "Enter" && !suggestion) {
      suggest([]);
      return onEnter(text);
    }
    const count = suggestions.value.length;
    if (count === 0) return;
    if (event.key === "Escape") suggest([]);
    else if (event.key === "ArrowDown") chosen.value = (chosen.value + 1) % count;
    else if (event.key === "ArrowUp") chosen.value = (Math.max(chosen.value, 0) + count - 1) % count;
    else if ((event.key === "Enter" || event.key === "Tab") && suggestion) insert(suggestion);
    else return;
    event.preventDefault();
    // Escape would also close the event that is open.
    event.stopPropagation();
  };
  const isOpen = suggestions.value.length > 0;
  return (
    <span class="query-input">
      <input
        ref={input}
        type="search"
        list={undefined}
        // biome-ignore lint/a11y/noRedundantRoles: without a list, the role of the element is searchbox
        role="combobox"
        aria-label="Query"
        aria-autocomplete="list"
        aria-expanded={isOpen}
        aria-controls={isOpen ? listId : undefined}
        aria-activedescendant={chosen.value < 0 ? undefined : `${listId}-${chosen.value}`}
        placeholder={'ip:192.0.2.0/24 port:22,80 -country:CN path:/wp-* "wget http"'}
        value={text}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        maxLength={maxQueryLength}
        aria-invalid={isWrong}
        onInput={({ currentTarget: { value, selectionStart } }) => {
          onType(value);
          suggest(suggestionsAt(value, selectionStart ?? value.length, completion));
        }}
        onKeyDown={press}
        onBlur={() => suggest([])}
      />
      {isOpen && (
        <SuggestionList id={listId} suggestions={suggestions.value} chosen={chosen.value} insert={insert} />
      )}
    </span>
  );
}

interface SuggestionListProps {
  readonly id: string;
  readonly suggestions: readonly Suggestion[];
  /** The index of the one that the keys have chosen; -1 for none. */
  readonly chosen: number;
  readonly insert: (suggestion: Suggestion) => void;
}

function SuggestionList({ id, suggestions, chosen, insert }: SuggestionListProps) {
  return (
    <div id={id} role="listbox" aria-label="Suggestions" class="suggestions mono">
      {suggestions.map((suggestion, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field handles the keys
        // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field (aria-activedescendant)
        <div
          key={suggestion.label}
          id={`${id}-${i}`}
          role="option"
          aria-selected={i === chosen}
          // The field would lose the focus, and close the list before the click.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => insert(suggestion)}
        >
          <CutText text={suggestion.label} />
        </div>
      ))}
    </div>
  );
}
