import { useRoute } from "preact-iso";
import type { SensorAnswer, SensorDetailAnswer } from "../../server/management/api/answers.ts";
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
import { formatBytes, formatCount, formatRate } from "../format/numbers.ts";
import { printable } from "../format/printable.ts";
import { formatDuration } from "../format/times.ts";
import { tailLink } from "../models/tail-link.ts";

const intervalMs = 3_000;

/** One sensor: is it well, what does it see, and what of it was refused. */
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
          No sensor of that name is configured. <a href="/sensors/add">Add a sensor</a>
        </p>
      ) : (
        <Resource of={polled} intervalMs={intervalMs} what="the sensor">
          {(answer) => (
            <>
              <Facts sensor={answer.sensor} />
              <section aria-labelledby="rate-title">
                <h2 id="rate-title">Events over 24 hours</h2>
                <TimeChart
                  series={answer.history}
                  format={(value) => `${formatRate(value / (answer.history.stepMs / 1000))}/s`}
                  label="Events a second over the last 24 hours"
                />
              </section>
              <section aria-labelledby="top-title">
                <h2 id="top-title">
                  Most seen{" "}
                  <span class="muted">
                    since <Ago at={answer.top.sinceAt} />
                  </span>
                </h2>
                <div class="columns">
                  <TopList title="Ports" list={answer.top.ports} hrefOf={(key) => tailLink("port", key)} />
                  <TopList
                    title="Countries"
                    list={answer.top.countries}
                    hrefOf={(key) => tailLink("country", key)}
                  />
                  <TopList
                    title="Networks"
                    prefix="AS"
                    list={answer.top.networks}
                    hrefOf={(key) => tailLink("asn", key)}
                  />
                </div>
              </section>
              <section aria-labelledby="refusals-title">
                <h2 id="refusals-title">Refusals</h2>
                {answer.refusals.length === 0 ? (
                  <p class="muted">Nothing of it was refused since Loom started.</p>
                ) : (
                  <RefusalTable refusals={answer.refusals} />
                )}
              </section>
            </>
          )}
        </Resource>
      )}
      {polled.answer.value && !isUnknown && (
        <section aria-labelledby="live-title">
          <h2 id="live-title">Live events</h2>
          <TailView filter={{ sensor: id }} isCompact />
        </section>
      )}
    </>
  );
}

function Facts({ sensor }: { sensor: SensorAnswer }) {
  return (
    <>
      <p>
        <SensorStateMark state={sensor.state} /> <span class="muted">{sensor.note}</span>
        {!sensor.isConfigured && <StateMark mood="attention">its token was taken away</StateMark>}
      </p>
      <ClockMark behindSeconds={sensor.clockBehindSeconds} />
      <dl class="facts">
        <Fact name="Last batch">
          <Ago at={sensor.lastBatchAt} />
        </Fact>
        <Fact name="Usual gap">
          {sensor.usualGapMs === null ? "not known yet" : formatDuration(sensor.usualGapMs)}
        </Fact>
        <Fact name="Events a second">
          {formatRate(sensor.perSecond.minute)} over 1 min, {formatRate(sensor.perSecond.fiveMinutes)} over 5
          min, {formatRate(sensor.perSecond.hour)} over 1 h
        </Fact>
        <Fact name="Kept since the start">
          {formatCount(sensor.keptEvents)} events in {formatCount(sensor.keptBatches)} batches,{" "}
          {formatBytes(sensor.bodyBytes)}
        </Fact>
        <Fact name="Refused">
          {Object.entries(sensor.refusedRequests).map(([reason, count]) => (
            <span key={reason}>
              <code>{reason}</code> {formatCount(count)}{" "}
            </span>
          ))}
          {sensor.claimedRefusals > 0 && `without its token ${formatCount(sensor.claimedRefusals)}`}
          {sensor.claimedRefusals === 0 && Object.keys(sensor.refusedRequests).length === 0 && "nothing"}
        </Fact>
        <Fact name="Id">
          <CutText text={sensor.id} class="mono" />
        </Fact>
      </dl>
    </>
  );
}
