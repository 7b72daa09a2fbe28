import { useSignal } from "@preact/signals";
import { formatBytes } from "../format/numbers.ts";
import { hexDump, type Payload, payloadFromHex, payloadFromText, payloadText } from "../format/payload.ts";
import { printable, printableLines } from "../format/printable.ts";
import { memberOf, textOf } from "../models/tail-document.ts";
import { CutText } from "./cut-text.tsx";

/** An event: its payload as text and hexadecimal, its members as a tree, and its raw JSON. */
export function DocumentView({ raw, document }: { raw: string; document: unknown }) {
  const view = useSignal<"tree" | "raw">("tree");
  const payload = payloadOf(document);
  return (
    <>
      {payload && <PayloadView payload={payload} />}
      <fieldset class="choices">
        <legend class="visually-hidden">View the event as</legend>
        <button
          type="button"
          aria-pressed={view.value === "tree"}
          onClick={() => {
            view.value = "tree";
          }}
        >
          Tree
        </button>
        <button
          type="button"
          aria-pressed={view.value === "raw"}
          onClick={() => {
            view.value = "raw";
          }}
        >
          Raw
        </button>
      </fieldset>
      {view.value === "tree" && document !== undefined ? (
        <ul class="tree mono">
          <Members value={document} depth={0} />
        </ul>
      ) : (
        <pre class="raw">{printable(raw)}</pre>
      )}
    </>
  );
}

function payloadOf(document: unknown): Payload | undefined {
  const hex = textOf(document, "event", "original_payload_hex");
  const text = textOf(document, "event", "summary");
  return (
    (hex === undefined ? undefined : payloadFromHex(hex)) ??
    (text === undefined ? undefined : payloadFromText(text))
  );
}

function PayloadView({ payload: { bytes, cutBytes } }: { payload: Payload }) {
  return (
    <section class="payload" aria-label="Payload">
      <figure>
        <figcaption>Payload as text</figcaption>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard */}
        <pre tabIndex={0}>{printableLines(payloadText(bytes)).replaceAll("\\r\n", "\n")}</pre>
      </figure>
      <figure>
        <figcaption>
          Payload as hexadecimal, {formatBytes(bytes.length)}
          {cutBytes > 0 && `; ${formatBytes(cutBytes)} more are not shown`}
        </figcaption>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard */}
        <pre tabIndex={0}>{hexDump(bytes)}</pre>
      </figure>
    </section>
  );
}

/** Deeper members and further members are shown only in the raw text. */
const maxDepth = 16;
const maxMembers = 200;

function Members({ value, depth }: { value: unknown; depth: number }) {
  if (typeof value !== "object" || value === null || depth >= maxDepth) return null;
  const keys = Object.keys(value);
  return (
    <>
      {keys.slice(0, maxMembers).map((key) => (
        <Member key={key} name={key} value={memberOf(value, key)} depth={depth} />
      ))}
      {keys.length > maxMembers && <li class="muted">{keys.length - maxMembers} more members: see Raw</li>}
    </>
  );
}

function Member({ name, value, depth }: { name: string; value: unknown; depth: number }) {
  const isBranch = typeof value === "object" && value !== null;
  if (!isBranch)
    return (
      <li>
        <CutText text={name} class="member" />{" "}
        <CutText text={typeof value === "string" ? value : String(value)} class={typeof value} />
      </li>
    );
  return (
    <li>
      <details open={depth < 3}>
        <summary>
          <CutText text={name} class="member" />
        </summary>
        <ul>
          <Members value={value} depth={depth + 1} />
          {depth + 1 >= maxDepth && <li class="muted">deeper members: see Raw</li>}
        </ul>
      </details>
    </li>
  );
}
