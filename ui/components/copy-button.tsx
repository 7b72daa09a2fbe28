import { useSignal } from "@preact/signals";

const shownMs = 1_500;

/** Copies a text to the clipboard and reports the outcome on the button. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const outcome = useSignal<"" | "Copied" | "Cannot copy">("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      outcome.value = "Copied";
    } catch {
      // Browsers give pages no clipboard without TLS, except on localhost.
      outcome.value = "Cannot copy";
    }
    setTimeout(() => {
      outcome.value = "";
    }, shownMs);
  };
  return (
    <button type="button" class="quiet-button" onClick={copy}>
      <span aria-live="polite">{outcome.value || label}</span>
    </button>
  );
}
