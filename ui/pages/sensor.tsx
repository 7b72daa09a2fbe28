import { useRoute } from "preact-iso";
import type { SensorAnswer, SensorDetailAnswer } from "../../server/management/api/answers.ts";
import { columnQuery } from "../../server/query/format-query.ts";
import { formatDuration } from "../../server/text/duration.ts";
import { CutText } from "../components/cut-text.tsx";
import { Fact } from "../components/fact.tsx";
import { PageHead } from "../components/page-head.tsx";
import { RefusalTable } from "../components/refusal-table.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { ClockMark, SensorStateMark } from "../components/sensor-state.tsx";
import { StateMark } from "../components/state-mark.tsx";
import { TailView } from "../components/tail-view.tsx";
import { TimeChart } from "../components/time-chart.tsx";
import { Ago } from "../components/times.tsx";
import { TopList } from "../components/top-list.tsx";
import { formatBytes, formatCount, formatRate, formatThings } from "../format/numbers.ts";
import { printable } from "../format/printable.ts";
import { columnLink } from "../models/links.ts";

const intervalMs = 3_000;

/** One sensor: its state, its event rate, what it sees most, its refused requests and its live events. */
export function SensorPage() {
  const { params } = useRoute();
  const id = params.id ?? "";
  const polled = usePolled<SensorDetailAnswer>(`/api/v1/sensors/${encodeURIComponent(id)}`, intervalMs);
  const isUnknown = polled.problem.value?.status === 404;
  return (
    <>
      <PageHead title={printable(id)}>
        <a href="/sensors">All sensors</a>
      </PageHead>
      {isUnknown ? (
        <p class="placeholder">
          No sensor with this id is configured. <a href="/sensors/add">Add a sensor</a>
        </p>
      ) : (
        <Resource of={polled} intervalMs={intervalMs} what="the sensor">
          {(answer) => <Details answer={answer} />}
        </Resource>
      )}
      {polled.answer.value && !isUnknown && (
        <section aria-labelledby="live-title">
          <h2 id="live-title">Live events</h2>
          <TailView query={columnQuery("sensor", id)} isCompact />
        </section>
      )}
    </>
  );
}

function Details({ answer }: { answer: SensorDetailAnswer }) {
  return (
    <>
      <Facts sensor={answer.sensor} />
      <section aria-labelledby="rate-title">
        <h2 id="rate-title">Events over 24 hours</h2>
        <TimeChart
          series={answer.history}
          format={(value) => `${formatRate(value / (answer.history.stepMs / 1000))}/s`}
          label="Events per second over the last 24 hours"
        />
      </section>
      <MostFrequent top={answer.top} />
      <section aria-labelledby="refusals-title">
        <h2 id="refusals-title">Refusals</h2>
        {answer.refusals.length === 0 ? (
          <p class="muted">No request of this sensor was refused since Loom started.</p>
        ) : (
          <RefusalTable refusals={answer.refusals} />
        )}
      </section>
    </>
  );
}

function MostFrequent({ top }: Pick<SensorDetailAnswer, "top">) {
  return (
    <section aria-labelledby="top-title">
      <h2 id="top-title">
        Most frequent{" "}
        <span class="muted">
          counting began <Ago at={top.sinceAt} />
        </span>
      </h2>
      <div class="columns">
        <TopList title="Ports" list={top.ports} hrefOf={(key) => columnLink("port", key)} />
        <TopList title="Countries" list={top.countries} hrefOf={(key) => columnLink("country", key)} />
        <TopList title="Networks" prefix="AS" list={top.networks} hrefOf={(key) => columnLink("asn", key)} />
      </div>
    </section>
  );
}

function Facts({ sensor }: { sensor: SensorAnswer }) {
  return (
    <>
      <p>
        <SensorStateMark state={sensor.state} /> <span class="muted">{sensor.note}</span>
        {!sensor.isConfigured && <StateMark mood="attention">its token is no longer configured</StateMark>}
      </p>
      <ClockMark behindSeconds={sensor.clockBehindSeconds} />
      <dl class="facts">
        <Fact name="Last batch">
          <Ago at={sensor.lastBatchAt} />
        </Fact>
        <Fact name="Usual gap between batches">
          {sensor.usualGapMs === null ? "not known yet" : formatDuration(sensor.usualGapMs)}
        </Fact>
        <Fact name="Events per second">
          {formatRate(sensor.perSecond.minute)} over 1 min, {formatRate(sensor.perSecond.fiveMinutes)} over 5
          min, {formatRate(sensor.perSecond.hour)} over 1 h
        </Fact>
        <Fact name="Kept since Loom started">
          {formatThings(sensor.keptEvents, "event")} in {formatThings(sensor.keptBatches, "batch", "batches")}
          , {formatBytes(sensor.bodyBytes)}
        </Fact>
        {sensor.ignoredEvents > 0 && (
          <Fact name="Removed by ignore rules">{formatThings(sensor.ignoredEvents, "event")}</Fact>
        )}
        <Fact name="Refused requests">
          <RefusedRequests sensor={sensor} />
        </Fact>
        <Fact name="Id">
          <CutText text={sensor.id} class="mono" />
        </Fact>
      </dl>
    </>
  );
}

function RefusedRequests({ sensor: { refusedRequests, claimedRefusals } }: { sensor: SensorAnswer }) {
  const reasons = Object.entries(refusedRequests);
  if (reasons.length === 0 && claimedRefusals === 0) return <>none</>;
  return (
    <>
      {reasons.map(([reason, count]) => (
        <span key={reason}>
          <code>{reason}</code> {formatCount(count)}{" "}
        </span>
      ))}
      {claimedRefusals > 0 && `with this id but not its token: ${formatCount(claimedRefusals)}`}
    </>
  );
}
