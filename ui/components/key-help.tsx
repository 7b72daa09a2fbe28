import { useApp } from "./app-context.ts";
import { Dialog } from "./dialog.tsx";

/** The keyboard shortcuts of the current page. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const { bound } = useApp().keys;
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="keys">
        {bound.value.map(({ key, says }) => (
          <div key={key}>
            <dt>
              {key.split(" ").map((one) => (
                <kbd key={one}>{one === "" ? "space" : one}</kbd>
              ))}
            </dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
