import { useSignal } from "@preact/signals";
import type { OutboxAnswer, OutputAnswer, OutputsAnswer } from "../../server/management/api/answers.ts";
import { CutText } from "../components/cut-text.tsx";
import { DeadLetters } from "../components/dead-letters.tsx";
import { Fact } from "../components/fact.tsx";
import { outputMoods } from "../components/output-state.tsx";
import { PageHead } from "../components/page-head.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { ShareBar } from "../components/share-bar.tsx";
import { StateMark } from "../components/state-mark.tsx";
import { TimeChart } from "../components/time-chart.tsx";
import { Ago } from "../components/times.tsx";
import { formatBytes, formatCount, formatRate, formatThings } from "../format/numbers.ts";
import { outputTitle } from "../format/output-title.ts";

const intervalMs = 2_000;

/** Does what was kept get where it belongs, and what of it does not? */
export function OutputsPage() {
  const polled = usePolled<OutputsAnswer>("/api/v1/outputs", intervalMs);
  return (
    <>
      <PageHead title="Outputs" />
      <Resource of={polled} intervalMs={intervalMs} what="the outputs">
        {({ outputs, outbox }) => (
          <>
            {outbox && <Outbox outbox={outbox} />}
            {outputs.map((output) => (
              <Output key={output.name} output={output} />
            ))}
          </>
        )}
      </Resource>
    </>
  );
}

function Outbox({ outbox }: { outbox: OutboxAnswer }) {
  return (
    <section aria-labelledby="outbox-title">
      <h2 id="outbox-title">Outbox</h2>
      <dl class="facts">
        <Fact
          name={
            <>
              {formatBytes(outbox.bytes)} of {formatBytes(outbox.maxBytes)}
            </>
          }
        >
          <ShareBar share={Math.min(1, outbox.bytes / outbox.maxBytes)} />
        </Fact>
        <Fact name="Files">{formatCount(outbox.segments)}</Fact>
        <Fact name="Events damaged on disk">
          <span class={outbox.damagedEvents > 0 ? "bad" : undefined}>
            {formatCount(outbox.damagedEvents)}
          </span>
        </Fact>
      </dl>
    </section>
  );
}

function Output({ output }: { output: OutputAnswer }) {
  const areLettersShown = useSignal(false);
  const { waiting, lastError } = output;
  const titleId = `output-${output.name}`;
  return (
    <section aria-labelledby={titleId} class="output">
      <h2 id={titleId}>{outputTitle(output.name)}</h2>
      <p>
        <StateMark mood={outputMoods[output.state]}>{output.words}</StateMark>
      </p>
      <dl class="facts">
        <Fact name={<>Delivered a second</>}>{formatRate(output.deliveredPerSecond)}</Fact>
        <Fact name="Kept for it">{formatCount(output.keptEvents)}</Fact>
        <Fact name="Delivered">
          {formatCount(output.deliveredEvents)}{" "}
          <span class="muted">
            last <Ago at={output.lastDeliveredAt} />
          </span>
        </Fact>
        <Fact name="Waiting">
          {formatThings(waiting.events, "event")}, {formatBytes(waiting.bytes)}
          {waiting.oldestAt !== null && (
            <span class="muted">
              {" "}
              the oldest from <Ago at={waiting.oldestAt} />
            </span>
          )}
        </Fact>
        <Fact name="Refused for good">
          <span class={output.deadEvents > 0 ? "bad" : undefined}>{formatCount(output.deadEvents)}</span>
        </Fact>
        <Fact name="Dropped by a full outbox">
          <span class={output.droppedEvents > 0 ? "bad" : undefined}>
            {formatCount(output.droppedEvents)}
          </span>
        </Fact>
        <Fact name={<>Retries</>}>{formatCount(output.retries)}</Fact>
        <Fact name="Last error" isWide>
          {lastError === null ? (
            <span class="muted">none</span>
          ) : (
            <>
              <Ago at={lastError.at} /> <span class="muted">{lastError.class}</span>{" "}
              <CutText text={lastError.reason} />
            </>
          )}
        </Fact>
      </dl>
      <TimeChart
        series={output.history}
        format={(value) => `${formatRate(value / (output.history.stepMs / 1000))}/s`}
        label={`Events a second delivered to ${output.name} over the last hour`}
        heightPx={88}
      />
      {output.deadLetters > 0 && (
        <>
          <p>
            <StateMark mood="attention">{formatThings(output.deadLetters, "dead letter")}</StateMark>{" "}
            <button
              type="button"
              aria-expanded={areLettersShown}
              onClick={() => {
                areLettersShown.value = !areLettersShown.value;
              }}
            >
              {areLettersShown.value ? "Hide them" : "Show them"}
            </button>
          </p>
          {areLettersShown.value && <DeadLetters output={output.name} />}
        </>
      )}
    </section>
  );
}
