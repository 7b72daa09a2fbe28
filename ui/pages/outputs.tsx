import { useSignal } from "@preact/signals";
import type { OutboxAnswer, OutputAnswer, OutputsAnswer } from "../../server/management/api/answers.ts";
import { CutText } from "../components/cut-text.tsx";
import { DeadLetterList } from "../components/dead-letters.tsx";
import { Fact } from "../components/fact.tsx";
import { errorClassName, outputMoods } from "../components/output-state.ts";
import { PageHead } from "../components/page-head.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { ShareBar } from "../components/share-bar.tsx";
import { SinceStart } from "../components/since.tsx";
import { StateMark } from "../components/state-mark.tsx";
import { TimeChart } from "../components/time-chart.tsx";
import { Ago } from "../components/times.tsx";
import { formatBytes, formatCount, formatRate, formatThings } from "../format/numbers.ts";
import { pageTitle } from "../page-list.ts";

const intervalMs = 2_000;

/** The outbox, and for each output what was delivered, what is pending, and its dead letters. */
export function OutputsPage() {
  const polled = usePolled<OutputsAnswer>("/api/v1/outputs", intervalMs);
  return (
    <>
      <PageHead title={pageTitle("outputs")} />
      <Resource of={polled} intervalMs={intervalMs} what="the outputs">
        {({ outputs, outbox }) => (
          <>
            {outbox && <Outbox outbox={outbox} />}
            <p class="muted">
              What was kept, delivered, rejected, dropped and retried is counted <SinceStart />.
            </p>
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
        <Fact name="Segments">{formatCount(outbox.segments)}</Fact>
        <Fact name="Damaged events">
          <Alarm count={outbox.damagedEvents} />
        </Fact>
      </dl>
    </section>
  );
}

function Output({ output }: { output: OutputAnswer }) {
  const titleId = `output-${output.name}`;
  return (
    <section aria-labelledby={titleId} class="output">
      <h2 id={titleId}>{output.title}</h2>
      <p>
        <StateMark mood={outputMoods[output.state]}>{output.words}</StateMark>
      </p>
      <OutputFacts output={output} />
      <TimeChart
        series={output.history}
        format={(value) => `${formatRate(value / (output.history.stepMs / 1000))}/s`}
        label={`Events per second delivered to ${output.title} over the last hour`}
        heightPx={88}
      />
      {output.deadLetters > 0 && <DeadLetters output={output} />}
    </section>
  );
}

function OutputFacts({ output }: { output: OutputAnswer }) {
  const { waiting, lastError } = output;
  return (
    <dl class="facts">
      <Fact name="Delivered per second">{formatRate(output.deliveredPerSecond)}</Fact>
      <Fact name="Kept">{formatCount(output.keptEvents)}</Fact>
      <Fact name="Delivered">
        {formatCount(output.deliveredEvents)}
        {output.lastDeliveredAt !== null && (
          <span class="muted">
            {" "}
            last delivery <Ago at={output.lastDeliveredAt} />
          </span>
        )}
      </Fact>
      <Fact name="Pending">
        {formatThings(waiting.events, "event")}, {formatBytes(waiting.bytes)}
        {waiting.oldestAt !== null && (
          <span class="muted">
            {" "}
            oldest <Ago at={waiting.oldestAt} />
          </span>
        )}
      </Fact>
      <Fact name="Rejected">
        <Alarm count={output.deadEvents} />
        <span class="muted"> since Loom started</span>
      </Fact>
      <Fact name="Dead letters">
        <Alarm count={output.deadLetters} />
        <span class="muted"> now</span>
      </Fact>
      <Fact name="Dropped by a full outbox">
        <Alarm count={output.droppedEvents} />
      </Fact>
      <Fact name="Retries">{formatCount(output.retries)}</Fact>
      <Fact name="Last error" isWide>
        {lastError === null ? (
          <span class="muted">none</span>
        ) : (
          <>
            <Ago at={lastError.at} /> <span class="muted">{errorClassName(lastError.class)}</span>{" "}
            <CutText text={lastError.reason} />
          </>
        )}
      </Fact>
    </dl>
  );
}

/** A count that should be 0. */
function Alarm({ count }: { count: number }) {
  return <span class={count > 0 ? "bad" : undefined}>{formatCount(count)}</span>;
}

function DeadLetters({ output }: { output: OutputAnswer }) {
  const isShown = useSignal(false);
  return (
    <>
      <p>
        <StateMark mood="attention">{formatThings(output.deadLetters, "dead letter")}</StateMark>{" "}
        <button
          type="button"
          aria-expanded={isShown}
          onClick={() => {
            isShown.value = !isShown.value;
          }}
        >
          {isShown.value ? "Hide" : "Show"}
        </button>
      </p>
      {isShown.value && <DeadLetterList output={output.name} />}
    </>
  );
}
