import type { ComponentChildren } from "preact";
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
    <Tile name="events" title="Events" href="/tail" isWide>
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
    </Tile>
  );
}

function SensorsTile({ answer: { sensors } }: { answer: OverviewAnswer }) {
  const states = Object.keys(sensorStates) as SensorState[];
  const total = states.reduce((sum, state) => sum + sensors[state], 0);
  return (
    <Tile name="sensors" title="Sensors" href="/sensors">
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
    </Tile>
  );
}

function RefusedTile({ answer: { refusals } }: { answer: OverviewAnswer }) {
  const reasons = Object.entries(refusals.byReason).sort(([, a], [, b]) => b - a);
  return (
    <Tile name="refused" title="Refused" href="/refusals">
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
    </Tile>
  );
}

function OutputsTile({ outputs }: { outputs: readonly OutputAnswer[] }) {
  return (
    <Tile name="outputs" title="Outputs" href="/outputs" isWide>
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
    </Tile>
  );
}

function EnrichmentTile({ fields }: { fields: readonly FieldHits[] | null }) {
  return (
    <Tile name="enrichment" title="Enrichment" href="/enrichment">
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
    </Tile>
  );
}

function ResourcesTile({ answer: { resources } }: { answer: OverviewAnswer }) {
  const { outbox, disk } = resources;
  return (
    <Tile name="resources" title="Loom itself" isWide>
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
    </Tile>
  );
}

interface TileProps {
  readonly name: string;
  readonly title: string;
  /** The page that says more. */
  readonly href?: string;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

function Tile({ name, title, href, isWide = false, children }: TileProps) {
  const titleId = `${name}-title`;
  return (
    <section class={isWide ? "tile wide" : "tile"} aria-labelledby={titleId}>
      <h2 id={titleId}>{href === undefined ? title : <a href={href}>{title}</a>}</h2>
      {children}
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
