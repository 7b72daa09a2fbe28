import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import { type EventFilter, parseFilter } from "../../server/monitoring/tail/event-filter.ts";
import { CutText } from "../components/cut-text.tsx";
import { PageHead } from "../components/page-head.tsx";
import { TailView } from "../components/tail-view.tsx";
import { useKeys } from "../components/use-keys.ts";
import { printable } from "../format/printable.ts";
import { pageTitle } from "../page-list.ts";

/** A filter is applied this long after the last letter, so that not every letter opens a new stream. */
const typingPauseMs = 300;

/** The filters with an input. Other filters come from links, and are shown so that they can be removed. */
const typed = [
  { name: "sensor", label: "Sensor", size: 16, hint: "vps-1" },
  { name: "country", label: "Country", size: 4, hint: "CN" },
  { name: "asn", label: "AS", size: 8, hint: "1221" },
  { name: "port", label: "Port", size: 6, hint: "23" },
  { name: "text", label: "Text", size: 24, hint: "any text in the event" },
] as const;
const typedNames: readonly string[] = typed.map(({ name }) => name);

const rules: Readonly<Record<string, string>> = {
  country: "a country is two letters, such as CN",
  asn: "a network is its number, such as 1221 or AS1221",
  port: "a port is a number up to 65535",
};

/** Events as they arrive. The filter is in the page's address, so that it can be bookmarked and shared. */
export function TailPage() {
  const { query, route } = useLocation();
  const wanted = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  const parsed = parseFilter(wanted);
  // While a value is incomplete, the last valid filter stays in use.
  const filter = useRef<EventFilter>({});
  if (parsed) filter.current = parsed;
  const set = (name: string, value: string) => {
    const changed = new URLSearchParams(wanted);
    if (value === "") changed.delete(name);
    else changed.set(name, value);
    route(changed.size === 0 ? "/tail" : `/tail?${changed}`, true);
  };
  return (
    <>
      <PageHead title={pageTitle("tail")} />
      <FilterBar wanted={wanted} set={set} clear={() => route("/tail", true)} />
      {!parsed && (
        <p class="bad" role="alert">
          {problemOf(wanted)}
        </p>
      )}
      <TailView filter={filter.current} />
    </>
  );
}

/** Names the first filter that is wrong. */
function problemOf(wanted: URLSearchParams): string {
  const wrong = [...wanted].find(([name, value]) => !parseFilter(new URLSearchParams([[name, value]])));
  const rule = wrong && (rules[wrong[0]] ?? `there is no such filter as ${printable(wrong[0])}`);
  return `The filter is not applied: ${rule ?? "it names a field twice"}.`;
}

interface FilterBarProps {
  /** The filters in the page's address, whether they are valid or not. */
  readonly wanted: URLSearchParams;
  /** Sets one filter; "" removes it. */
  readonly set: (name: string, value: string) => void;
  readonly clear: () => void;
}

function FilterBar({ wanted, set, clear }: FilterBarProps) {
  const text = useRef<HTMLInputElement>(null);
  useKeys([
    { key: "/", says: "filter by text", run: () => text.current?.focus() },
    { key: "x", says: "clear the filter", run: clear },
  ]);
  const linked = [...wanted.keys()].filter((name) => !typedNames.includes(name));
  return (
    <search class="toolbar">
      {typed.map(({ name, label, size, hint }) => (
        <FilterField
          key={name}
          label={label}
          size={size}
          hint={hint}
          value={wanted.get(name) ?? ""}
          onValue={(value) => set(name, value)}
          inputRef={name === "text" ? text : undefined}
        />
      ))}
      {linked.map((name) => (
        <span key={name} class="chip">
          <CutText text={name} /> <CutText text={wanted.get(name) ?? ""} class="mono" />{" "}
          <button
            type="button"
            class="quiet-button"
            aria-label={`Remove the filter ${printable(name)}`}
            onClick={() => set(name, "")}
          >
            ×
          </button>
        </span>
      ))}
      {wanted.size > 0 && (
        <button type="button" class="quiet-button" onClick={clear}>
          Clear <kbd>x</kbd>
        </button>
      )}
    </search>
  );
}

interface FilterFieldProps {
  readonly label: string;
  readonly size: number;
  readonly hint: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly inputRef: RefObject<HTMLInputElement | null> | undefined;
}

function FilterField({ label, size, hint, value, onValue, inputRef }: FilterFieldProps) {
  const text = useSignal(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // A link or the browser's history may set another value.
  useEffect(() => {
    text.value = value;
  }, [value, text]);
  const type = (typedText: string) => {
    text.value = typedText;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onValue(typedText.trim()), typingPauseMs);
  };
  return (
    <label>
      {label}{" "}
      <input
        {...(inputRef ? { ref: inputRef } : {})}
        type="search"
        size={size}
        placeholder={hint}
        value={text}
        spellcheck={false}
        autocomplete="off"
        maxLength={200}
        onInput={(event) => type(event.currentTarget.value)}
      />
    </label>
  );
}
