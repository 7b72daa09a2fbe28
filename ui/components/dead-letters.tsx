import { useSignal } from "@preact/signals";
import type {
  DeadLetterAnswer,
  DeadLettersAnswer,
  RetryAnswer,
} from "../../server/management/api/answers.ts";
import { formatBytes, formatCount, formatThings } from "../format/numbers.ts";
import { getJson, postJson } from "../models/api-client.ts";
import { parsedDocument } from "../models/tail-document.ts";
import { CopyButton } from "./copy-button.tsx";
import { CutText } from "./cut-text.tsx";
import { Dialog } from "./dialog.tsx";
import { DocumentView } from "./document-view.tsx";
import { Resource, usePolled } from "./resource.tsx";
import { ScrollBox } from "./scroll-box.tsx";
import { Ago } from "./times.tsx";

const intervalMs = 3_000;

/** What an output refused for good: why, what it was, and a way to have it sent again. */
export function DeadLetters({ output }: { output: string }) {
  const path = `/api/v1/outputs/${encodeURIComponent(output)}/dead-letters`;
  const after = useSignal<readonly number[]>([]);
  const opened = useSignal<DeadLetterAnswer | undefined>(undefined);
  const outcome = useSignal("");
  const at = after.value.at(-1);
  const polled = usePolled<DeadLettersAnswer>(at === undefined ? path : `${path}?after=${at}`, intervalMs);

  const say = async (doing: () => Promise<string>) => {
    outcome.value = await doing().catch(
      (error: unknown) => `Not done: ${error instanceof Error ? error.message : error}`,
    );
    void polled.refresh();
  };
  const retry = (body: object) =>
    say(async () => {
      const { asked } = await postJson<RetryAnswer>(`${path}/retry`, body);
      return `${formatThings(asked, "event")} will be sent again in a few seconds.`;
    });
  const open = (sequence: number) =>
    say(async () => {
      opened.value = await getJson<DeadLetterAnswer>(`${path}/${sequence}`);
      return "";
    });

  return (
    <div class="dead-letters">
      <p role="status" aria-live="polite">
        {outcome}
      </p>
      <Resource of={polled} intervalMs={intervalMs} what="the dead letters">
        {({ letters, total, next }) => (
          <>
            <div class="toolbar">
              <button type="button" disabled={total === 0} onClick={() => void retry({ all: true })}>
                Send all {formatCount(total)} again
              </button>
              {after.value.length > 0 && (
                <button
                  type="button"
                  onClick={() => {
                    after.value = after.value.slice(0, -1);
                  }}
                >
                  Older
                </button>
              )}
              {next !== null && (
                <button
                  type="button"
                  onClick={() => {
                    after.value = [...after.value, next];
                  }}
                >
                  Newer
                </button>
              )}
            </div>
            <ScrollBox label="Dead letters, as a table">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Refused</th>
                    <th scope="col">Sensor</th>
                    <th scope="col">Reason</th>
                    <th scope="col">Event</th>
                    <th scope="col" />
                  </tr>
                </thead>
                <tbody>
                  {letters.map((letter) => (
                    <tr key={letter.sequence}>
                      <td>
                        <Ago at={letter.refusedAt} />
                      </td>
                      <td>
                        <CutText text={letter.sensorId} />
                      </td>
                      <td class="grows">
                        <CutText text={letter.reason} />
                      </td>
                      <td class="grows mono">
                        <button type="button" class="link-button" onClick={() => void open(letter.sequence)}>
                          <CutText text={letter.document} />
                        </button>
                      </td>
                      <td>
                        {letter.isRetryAsked ? (
                          <span class="muted">to be sent again</span>
                        ) : (
                          <button type="button" onClick={() => void retry({ sequences: [letter.sequence] })}>
                            Send again
                          </button>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollBox>
          </>
        )}
      </Resource>
      {opened.value && (
        <Dialog
          title={`Dead letter ${opened.value.sequence}`}
          kind="drawer"
          onClose={() => {
            opened.value = undefined;
          }}
        >
          <p>
            <CutText text={opened.value.reason} />
          </p>
          <p class="muted">
            {formatBytes(opened.value.documentBytes)}{" "}
            <CopyButton text={opened.value.document} label="Copy the event" />
          </p>
          <DocumentView raw={opened.value.document} document={parsedDocument(opened.value.document)} />
        </Dialog>
      )}
    </div>
  );
}
