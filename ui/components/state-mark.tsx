import type { ComponentChildren } from "preact";

export type Mood = "good" | "attention" | "bad" | "calm";

/** One shape per mood, so that the colour is never the only sign. */
const shapes: Readonly<Record<Mood, string>> = {
  good: "M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10z",
  attention: "M6 1L11.5 11H.5z",
  bad: "M1 1H11V11H1z",
  calm: "M6 1.75a4.25 4.25 0 1 0 0 8.5a4.25 4.25 0 1 0 0-8.5z",
};

/** A state in words, with the shape and colour of its mood. */
export function StateMark({ mood, children }: { mood: Mood; children: ComponentChildren }) {
  return (
    <span class={`state ${mood}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d={shapes[mood]} />
      </svg>
      {children}
    </span>
  );
}
