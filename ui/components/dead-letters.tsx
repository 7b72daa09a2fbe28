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
  const deadLetters = useMemo(
    () => new DeadLetters(output, { api, intervalMs, isHidden: visibility.isHidden }),
    [api, output, visibility],
  );
  useEffect(() => {
    deadLetters.page.start();
    return () => deadLetters.page.stop();
  }, [deadLetters]);
  return (
    <div class="dead-letters">
      <p role="status" aria-live="polite">
        {deadLetters.outcome}
      </p>
      <Resource of={deadLetters.page} intervalMs={intervalMs} what="the dead letters">
        {(answer) => (
          <>
            <Toolbar deadLetters={deadLetters} answer={answer} />
            <RecordTable deadLetters={deadLetters} answer={answer} />
          </>
        )}
      </Resource>
      {deadLetters.opened.value && (
        <RecordDrawer record={deadLetters.opened.value} onClose={() => deadLetters.close()} />
      )}
    </div>
  );
}

interface PageProps {
  readonly deadLetters: DeadLetters;
  readonly answer: DeadLettersAnswer;
}

function Toolbar({ deadLetters, answer: { total, next } }: PageProps) {
  return (
    <div class="toolbar">
      <button type="button" disabled={total === 0} onClick={() => void deadLetters.retry({ all: true })}>
        Retry all {formatCount(total)}
      </button>
      {deadLetters.after.value.length > 0 && (
        <button type="button" onClick={() => deadLetters.showOlder()}>
          Older
        </button>
      )}
      {next !== null && (
        <button type="button" onClick={() => deadLetters.showNewer(next)}>
          Newer
        </button>
      )}
    </div>
  );
}

function RecordTable({ deadLetters, answer }: PageProps) {
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
          {answer.records.map((record) => (
            <RecordRow key={record.sequence} deadLetters={deadLetters} record={record} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function RecordRow({ deadLetters, record }: { deadLetters: DeadLetters; record: DeadLetterAnswer }) {
  const { sequence } = record;
  return (
    <tr>
      <td>
        <Ago at={record.rejectedAt} />
      </td>
      <td>
        <CutText text={record.sensorId} />
      </td>
      <td class="grows">
        <CutText text={record.reason} />
      </td>
      <td class="grows mono">
        <button type="button" class="link-button" onClick={() => void deadLetters.open(sequence)}>
          <CutText text={record.document} />
        </button>
      </td>
      <td>
        {record.isRetryPending ? (
          <span class="muted">retry pending</span>
        ) : (
          <button type="button" onClick={() => void deadLetters.retry({ sequences: [sequence] })}>
            Retry
          </button>
        )}
      </td>
    </tr>
  );
}

function RecordDrawer({ record, onClose }: { record: DeadLetterAnswer; onClose: () => void }) {
  return (
    <Dialog title={`Dead letter ${record.sequence}`} kind="drawer" onClose={onClose}>
      <p>
        <CutText text={record.reason} />
      </p>
      <p class="muted">
        {formatBytes(record.documentBytes)} <CopyButton text={record.document} label="Copy event" />
      </p>
      <DocumentView raw={record.document} document={parsedDocument(record.document)} />
    </Dialog>
  );
}
