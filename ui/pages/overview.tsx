import type {
  FieldHits,
  OutputAnswer,
  OverviewAnswer,
  SensorState,
} from "../../server/management/api/answers.ts";
import { Fact } from "../components/fact.tsx";
import { outputMoods } from "../components/output-state.tsx";
import { PageHead } from "../components/page-head.tsx";
import { Resource } from "../components/resource.tsx";
import { ScrollBox } from "../components/scroll-box.tsx";
import { sensorStates } from "../components/sensor-state.tsx";
import { ShareBar } from "../components/share-bar.tsx";
import { StateMark } from "../components/state-mark.tsx";
import { TimeChart } from "../components/time-chart.tsx";
import { Ago } from "../components/times.tsx";
import { formatBytes, formatCount, formatRate, formatShortCount } from "../format/numbers.ts";
import { outputTitle } from "../format/output-title.ts";
import { formatDuration } from "../format/times.ts";
import { overview, overviewIntervalMs } from "../models/overview.ts";
import { allIsWell, findingsOf } from "../models/verdict.ts";

/** Is anything wrong, and how much is going on: to be read in five seconds. */
export function OverviewPage() {
  return (
    <>
      <PageHead title="Overview" />
      <Resource of={overview} intervalMs={overviewIntervalMs} what="the overview">
        {(answer) => (
          <>
            <Verdict answer={answer} />
            <div class="tiles">
              <EventsTile answer={answer} />
              <SensorsTile answer={answer} />
              <RefusedTile answer={answer} />
              <OutputsTile outputs={answer.outputs} />
              <EnrichmentTile fields={answer.enrichment} />
              <ResourcesTile answer={answer} />
            </div>
          </>
        )}
      </Resource>
    </>
  );
}

function Verdict({ answer }: { answer: OverviewAnswer }) {
  const findings = findingsOf(answer);
  return (
    <div class="verdict" role="status">
      <ul aria-label="What needs attention">
        {findings.length === 0 && (
          <li>
            <StateMark mood="good">{allIsWell(answer)}</StateMark>
          </li>
        )}
        {findings.map(({ mood, text, href }) => (
          <li key={text}>
            <StateMark mood={mood}>
              <a href={href}>{text}</a>
            </StateMark>
          </li>
        ))}
      </ul>
    </div>
  );
}

function EventsTile({ answer: { events, now, startedAt } }: { answer: OverviewAnswer }) {
  return (
    <section class="tile wide" aria-labelledby="events-title">
      <h2 id="events-title">
        <a href="/tail">Events</a>
      </h2>
      <div class="figures">
        <Figure value={formatRate(events.perSecond)} unit="a second now" />
        <Figure value={formatShortCount(events.keptLastHour)} unit="in the last hour" isSmall />
        <Figure
          value={formatShortCount(events.kept)}
          unit={`since the start, ${formatDuration(now - startedAt)} ago`}
          isSmall
        />
      </div>
      <TimeChart
        series={events.history}
        format={(value) => `${formatRate(value / (events.history.stepMs / 1000))}/s`}
        label="Events kept a second over the last hour"
      />
    </section>
  );
}

function SensorsTile({ answer: { sensors } }: { answer: OverviewAnswer }) {
  const states = Object.keys(sensorStates) as SensorState[];
  const total = states.reduce((sum, state) => sum + sensors[state], 0);
  return (
    <section class="tile" aria-labelledby="sensors-title">
      <h2 id="sensors-title">
        <a href="/sensors">Sensors</a>
      </h2>
      <div class="figures">
        <Figure value={formatCount(sensors.reporting)} unit={`of ${formatCount(total)} reporting`} />
      </div>
      <ul class="rows">
        {states.map((state) => (
          <li key={state}>
            <a href={`/sensors?state=${state}`}>
              <StateMark mood={sensors[state] === 0 ? "calm" : sensorStates[state].mood}>
                {sensorStates[state].name}
              </StateMark>
            </a>
            <span class="number">{formatCount(sensors[state])}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function RefusedTile({ answer: { refusals } }: { answer: OverviewAnswer }) {
  const reasons = Object.entries(refusals.byReason).sort(([, a], [, b]) => b - a);
  return (
    <section class="tile" aria-labelledby="refused-title">
      <h2 id="refused-title">
        <a href="/refusals">Refused</a>
      </h2>
      <div class="figures">
        <Figure value={formatShortCount(refusals.requestsLastHour)} unit="requests in the last hour" />
      </div>
      <ul class="rows">
        {reasons.slice(0, 5).map(([reason, count]) => (
          <li key={reason}>
            <code>{reason}</code>
            <span class="number">{formatCount(count)}</span>
          </li>
        ))}
        <li class="muted">
          last one <Ago at={refusals.lastAt} />
        </li>
      </ul>
    </section>
  );
}

function OutputsTile({ outputs }: { outputs: readonly OutputAnswer[] }) {
  return (
    <section class="tile wide" aria-labelledby="outputs-title">
      <h2 id="outputs-title">
        <a href="/outputs">Outputs</a>
      </h2>
      <ScrollBox label="Outputs, as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">Output</th>
              <th scope="col" class="number">
                Delivered
              </th>
              <th scope="col" class="number">
                Waiting
              </th>
              <th scope="col" class="number">
                Refused for good
              </th>
              <th scope="col" class="number">
                Dropped
              </th>
            </tr>
          </thead>
          <tbody>
            {outputs.map((output) => (
              <tr key={output.name}>
                <th scope="row">
                  {outputTitle(output.name)}
                  <p class="muted">
                    <StateMark mood={outputMoods[output.state]}>{output.words}</StateMark>
                  </p>
                </th>
                <td class="number">{formatCount(output.deliveredEvents)}</td>
                <td class="number">{formatCount(output.waiting.events)}</td>
                <td class="number">{formatCount(output.deadEvents)}</td>
                <td class="number">{formatCount(output.droppedEvents)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </section>
  );
}

function EnrichmentTile({ fields }: { fields: readonly FieldHits[] | null }) {
  return (
    <section class="tile" aria-labelledby="enrichment-title">
      <h2 id="enrichment-title">
        <a href="/enrichment">Enrichment</a>
      </h2>
      {fields === null ? (
        <p class="muted">Off: no database is configured.</p>
      ) : (
        <ul class="rows">
          {fields.map(({ field, hits, events }) => (
            <li key={field}>
              <code>{field.replace(/^source\./, "")}</code>
              <ShareBar share={events === 0 ? null : hits / events} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function ResourcesTile({ answer: { resources } }: { answer: OverviewAnswer }) {
  const { outbox, disk } = resources;
  return (
    <section class="tile wide" aria-labelledby="resources-title">
      <h2 id="resources-title">Loom itself</h2>
      <dl class="facts">
        <Fact name="Memory">{formatBytes(resources.residentBytes)}</Fact>
        <Fact name="Processor">{formatRate(resources.cpuCores)} cores</Fact>
        {outbox && (
          <Fact name="Outbox">
            {formatBytes(outbox.bytes)} <span class="muted">of {formatBytes(outbox.maxBytes)}</span>
          </Fact>
        )}
        {disk && (
          <Fact name="Disk free">
            {formatBytes(disk.freeBytes)} <span class="muted">of {formatBytes(disk.totalBytes)}</span>
          </Fact>
        )}
        <Fact name="Viewers of the tail">{formatCount(resources.viewers)}</Fact>
      </dl>
    </section>
  );
}

function Figure({ value, unit, isSmall = false }: { value: string; unit: string; isSmall?: boolean }) {
  return (
    <p class={isSmall ? "figure small" : "figure"}>
      <strong>{value}</strong> <span>{unit}</span>
    </p>
  );
}
