import { useSignal } from "@preact/signals";

const shownMs = 1_500;

/** Puts a text on the clipboard and says so. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const outcome = useSignal<"" | "Copied" | "Not allowed">("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      outcome.value = "Copied";
    } catch {
      // Without TLS and off localhost browsers have no clipboard for pages.
      outcome.value = "Not allowed";
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
