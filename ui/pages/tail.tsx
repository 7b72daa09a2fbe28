import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import { type EventFilter, parseFilter } from "../../server/monitoring/tail/event-filter.ts";
import { CutText } from "../components/cut-text.tsx";
import { PageHead } from "../components/page-head.tsx";
import { TailView } from "../components/tail-view.tsx";
import { useKeys } from "../components/use-keys.ts";

/** Typing must not open a new stream with every letter. */
const typingPauseMs = 300;

/** The fields that are typed in; the others are set by links, and shown so that they can be taken away. */
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

/** Events as they come. The filter is in the page's address, so that it can be kept and sent. */
export function TailPage() {
  const { query, route } = useLocation();
  const first = useRef<HTMLInputElement>(null);
  const wanted = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  const parsed = parseFilter(wanted);
  // While a value is being typed that is not one yet, what is on the screen stays.
  const filter = useRef<EventFilter>({});
  if (parsed) filter.current = parsed;
  useKeys([
    { key: "/", says: "filter by text", run: () => first.current?.focus() },
    { key: "x", says: "take the filter away", run: () => route("/tail", true) },
  ]);

  const set = (name: string, value: string) => {
    if (value === "") wanted.delete(name);
    else wanted.set(name, value);
    route(wanted.size === 0 ? "/tail" : `/tail?${wanted}`, true);
  };

  const linked = [...wanted.keys()].filter((name) => !typedNames.includes(name));
  return (
    <>
      <PageHead title="Live tail" />
      <search class="toolbar">
        {typed.map(({ name, label, size, hint }) => (
          <FilterField
            key={name}
            label={label}
            size={size}
            hint={hint}
            value={wanted.get(name) ?? ""}
            onValue={(value) => set(name, value)}
            inputRef={name === "text" ? first : undefined}
          />
        ))}
        {linked.map((name) => (
          <span key={name} class="chip">
            {name} <CutText text={wanted.get(name) ?? ""} class="mono" />{" "}
            <button
              type="button"
              class="quiet-button"
              aria-label={`Take the filter ${name} away`}
              onClick={() => set(name, "")}
            >
              ×
            </button>
          </span>
        ))}
        {wanted.size > 0 && (
          <button type="button" class="quiet-button" onClick={() => route("/tail", true)}>
            Clear <kbd>x</kbd>
          </button>
        )}
      </search>
      {!parsed && (
        <p class="bad" role="alert">
          {problemOf(wanted)}
        </p>
      )}
      <TailView filter={filter.current} />
    </>
  );
}

function problemOf(wanted: URLSearchParams): string {
  const wrong = [...wanted].find(([name, value]) => !parseFilter(new URLSearchParams([[name, value]])));
  const rule = wrong && (rules[wrong[0]] ?? `there is no filter ${wrong[0]} like that`);
  return `This filter is not used: ${rule ?? "a condition stands there twice"}.`;
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
  // A link or the browser's way back has set another one.
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
