import { useLocation, useRoute } from "preact-iso";
import type { SensorAnswer, SensorDetailAnswer } from "../../server/management/api/answers.ts";
import { columnQuery } from "../../server/query/format-query.ts";
import { formatDuration } from "../../server/text/duration.ts";
import { CutText } from "../components/cut-text.tsx";
import { Fact } from "../components/fact.tsx";
import { PageHead } from "../components/page-head.tsx";
import { RefusalTable } from "../components/refusal-table.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { ClockMark, SensorStateMark } from "../components/sensor-state.tsx";
import { Since } from "../components/since.tsx";
import { StateMark } from "../components/state-mark.tsx";
import { TailView } from "../components/tail-view.tsx";
import { TimeChart } from "../components/time-chart.tsx";
import { Ago } from "../components/times.tsx";
import { TopList } from "../components/top-list.tsx";
import { formatBytes, formatRate, formatShortCount, formatThings } from "../format/numbers.ts";
import { printable } from "../format/printable.ts";
import { formatRefused } from "../format/refused.ts";
import { columnLink, sensorLink } from "../models/links.ts";

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
      <Facts answer={answer} />
      <Events answer={answer} />
      <MostFrequent top={answer.top} />
      <section aria-labelledby="refusals-title">
        <h2 id="refusals-title">Refusals</h2>
        {answer.refusals.length === 0 ? (
          <p class="muted">
            No request of this sensor was refused <Since at={answer.countedSinceAt} />.
          </p>
        ) : (
          <RefusalTable refusals={answer.refusals} />
        )}
      </section>
    </>
  );
}

const periods = ["24h", "31d", "12mo"] as const;

/** The events over time, in the period that the address of the page names. */
function Events({ answer }: { answer: SensorDetailAnswer }) {
  const { query } = useLocation();
  const period = periods.find((value) => value === query.period) ?? "24h";
  const charts = {
    "24h": { name: "24 hours", series: answer.history },
    "31d": { name: "31 days", series: answer.month },
    "12mo": { name: "12 months", series: answer.year },
  };
  const { name, series } = charts[period];
  const hasRate = series.stepMs < 3_600_000;
  const rate = (value: number) => `${formatRate(value / (series.stepMs / 1000))}/s`;
  const steps = series.stepMs < 86_400_000 ? "hour" : "day (UTC)";
  return (
    <section aria-labelledby="rate-title">
      <div class="page-head">
        <h2 id="rate-title">Events over {name}</h2>
        <nav class="choices" aria-label="Period">
          {periods.map((value) => (
            <a
              key={value}
              href={`${sensorLink(answer.sensor.id)}?period=${value}`}
              aria-current={value === period ? "true" : undefined}
            >
              {charts[value].name}
            </a>
          ))}
        </nav>
      </div>
      <TimeChart
        key={period}
        series={series}
        format={hasRate ? rate : (value) => formatShortCount(Math.round(value))}
        label={
          hasRate ? `Events per second over the last ${name}` : `Events in each ${steps} of the last ${name}`
        }
      />
    </section>
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

function Facts({ answer: { sensor, countedSinceAt } }: { answer: SensorDetailAnswer }) {
  const { totals } = sensor;
  return (
    <>
      <p>
        <SensorStateMark sensor={sensor} />{" "}
        {!sensor.isConfigured && <StateMark mood="attention">its token is no longer configured</StateMark>}
      </p>
      <p class={sensor.state === "losing" ? "bad" : "muted"}>{sensor.note}</p>
      <ClockMark sensor={sensor} />
      <dl class="facts">
        <Fact name="First batch">
          {sensor.firstBatchAt === null ? <Ago at={null} /> : <Since at={sensor.firstBatchAt} />}
        </Fact>
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
        <Fact
          name={
            <>
              Kept <Since at={countedSinceAt} />
            </>
          }
        >
          {formatThings(totals.keptEvents, "event")} in {formatThings(totals.keptBatches, "batch", "batches")}
          , {formatBytes(totals.bodyBytes)}
        </Fact>
        {totals.ignoredEvents > 0 && (
          <Fact name="Removed by ignore rules">{formatThings(totals.ignoredEvents, "event")}</Fact>
        )}
        <Fact name="Refused">
          <RefusedRequests sensor={sensor} />
        </Fact>
        <Fact name="Id">
          <CutText text={sensor.id} class="mono" />
        </Fact>
      </dl>
    </>
  );
}

function RefusedRequests({ sensor }: { sensor: SensorAnswer }) {
  const { claimedRefusals, claimedEvents } = sensor;
  const { refusedRequests, refusedEvents, isRefusedEstimate } = sensor.totals;
  const reasons = Object.entries(refusedRequests);
  if (reasons.length === 0 && claimedRefusals === 0) return <>none</>;
  return (
    <>
      {reasons.map(([reason, count]) => (
        <p key={reason}>
          {formatRefused({
            requests: count,
            events: refusedEvents[reason] ?? 0,
            isEstimate: isRefusedEstimate,
          })}{" "}
          <code>{reason}</code>
        </p>
      ))}
      {claimedRefusals > 0 && (
        <p>
          {formatRefused({ requests: claimedRefusals, events: claimedEvents, isEstimate: true })}{" "}
          <span class="muted">with this id but not its token</span>
        </p>
      )}
    </>
  );
}
