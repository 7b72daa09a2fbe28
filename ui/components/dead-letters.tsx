import { useEffect, useMemo } from "preact/hooks";
import type { DeadLetterAnswer, DeadLettersAnswer } from "../../server/management/api/answers.ts";
import { formatBytes, formatCount } from "../format/numbers.ts";
import { DeadLetters } from "../models/dead-letters.ts";
import { parsedDocument } from "../models/tail-document.ts";
import { useApp } from "./app-context.ts";
import { CopyButton } from "./copy-button.tsx";
import { CutText } from "./cut-text.tsx";
import { Dialog } from "./dialog.tsx";
import { DocumentView } from "./document-view.tsx";
import { Resource } from "./resource.tsx";
import { ScrollBox } from "./scroll-box.tsx";
import { Ago } from "./times.tsx";

const intervalMs = 3_000;

/** The events that an output rejected: the reason, the event, and a button to retry it. */
export function DeadLetterList({ output }: { output: string }) {
  const { api, visibility } = useApp();
  const letters = useMemo(
    () => new DeadLetters(output, { api, intervalMs, isHidden: visibility.isHidden }),
    [api, output, visibility],
  );
  useEffect(() => {
    letters.page.start();
    return () => letters.page.stop();
  }, [letters]);
  return (
    <div class="dead-letters">
      <p role="status" aria-live="polite">
        {letters.outcome}
      </p>
      <Resource of={letters.page} intervalMs={intervalMs} what="the dead letters">
        {(answer) => (
          <>
            <Toolbar letters={letters} answer={answer} />
            <LetterTable letters={letters} answer={answer} />
          </>
        )}
      </Resource>
      {letters.opened.value && <LetterDrawer letter={letters.opened.value} onClose={() => letters.close()} />}
    </div>
  );
}

interface PageProps {
  readonly letters: DeadLetters;
  readonly answer: DeadLettersAnswer;
}

function Toolbar({ letters, answer: { total, next } }: PageProps) {
  return (
    <div class="toolbar">
      <button type="button" disabled={total === 0} onClick={() => void letters.retry({ all: true })}>
        Retry all {formatCount(total)}
      </button>
      {letters.after.value.length > 0 && (
        <button type="button" onClick={() => letters.showOlder()}>
          Older
        </button>
      )}
      {next !== null && (
        <button type="button" onClick={() => letters.showNewer(next)}>
          Newer
        </button>
      )}
    </div>
  );
}

function LetterTable({ letters, answer }: PageProps) {
  return (
    <ScrollBox label="Dead letters">
      <table>
        <thead>
          <tr>
            <th scope="col">Rejected</th>
            <th scope="col">Sensor</th>
            <th scope="col">Reason</th>
            <th scope="col">Event</th>
            <th scope="col" />
          </tr>
        </thead>
        <tbody>
          {answer.letters.map((letter) => (
            <LetterRow key={letter.sequence} letters={letters} letter={letter} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function LetterRow({ letters, letter }: { letters: DeadLetters; letter: DeadLetterAnswer }) {
  const { sequence } = letter;
  return (
    <tr>
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
        <button type="button" class="link-button" onClick={() => void letters.open(sequence)}>
          <CutText text={letter.document} />
        </button>
      </td>
      <td>
        {letter.isRetryAsked ? (
          <span class="muted">retry pending</span>
        ) : (
          <button type="button" onClick={() => void letters.retry({ sequences: [sequence] })}>
            Retry
          </button>
        )}
      </td>
    </tr>
  );
}

function LetterDrawer({ letter, onClose }: { letter: DeadLetterAnswer; onClose: () => void }) {
  return (
    <Dialog title={`Dead letter ${letter.sequence}`} kind="drawer" onClose={onClose}>
      <p>
        <CutText text={letter.reason} />
      </p>
      <p class="muted">
        {formatBytes(letter.documentBytes)} <CopyButton text={letter.document} label="Copy event" />
      </p>
      <DocumentView raw={letter.document} document={parsedDocument(letter.document)} />
    </Dialog>
  );
}
