import type {
  FieldHits,
  OutputAnswer,
  OverviewAnswer,
  ResourcesAnswer,
  SensorState,
} from "../../server/management/api/answers.ts";
import { formatBytes, formatCount, formatRate, formatShortCount } from "../format/numbers.ts";
import { Fact } from "./fact.tsx";
import { outputMoods } from "./output-state.ts";
import { ScrollBox } from "./scroll-box.tsx";
import { sensorStates } from "./sensor-state.tsx";
import { ShareBar } from "./share-bar.tsx";
import { Since } from "./since.tsx";
import { StateMark } from "./state-mark.tsx";
import { Figure, Tile } from "./tile.tsx";
import { TimeChart } from "./time-chart.tsx";
import { Ago } from "./times.tsx";

export function EventsTile({ answer: { events, totals } }: { answer: OverviewAnswer }) {
  return (
    <Tile name="events" title="Events" href="/tail" isWide>
      <div class="figures">
        <Figure value={formatRate(events.perSecond)} unit="per second" />
        <Figure value={formatShortCount(events.keptLastHour)} unit="in the last hour" isSmall />
        <Figure value={formatShortCount(totals.keptEvents)} unit={<Since at={totals.sinceAt} />} isSmall />
      </div>
      <TimeChart
        series={events.history}
        format={(value) => `${formatRate(value / (events.history.stepMs / 1000))}/s`}
        label="Events kept per second over the last hour"
      />
    </Tile>
  );
}

export function SensorsTile({ sensors }: Pick<OverviewAnswer, "sensors">) {
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

/** The tile lists this many reasons. */
const maxReasons = 5;

export function RefusalsTile({ refusals, totals }: Pick<OverviewAnswer, "refusals" | "totals">) {
  const reasons = Object.entries(totals.refusedByReason).sort(([, a], [, b]) => b - a);
  return (
    <Tile name="refused" title="Refusals" href="/refusals">
      <div class="figures">
        <Figure
          value={formatShortCount(refusals.requestsLastHour)}
          unit={refusals.requestsLastHour === 1 ? "request in the last hour" : "requests in the last hour"}
        />
      </div>
      <ul class="rows">
        {reasons.slice(0, maxReasons).map(([reason, count]) => (
          <li key={reason}>
            <code>{reason}</code>
            <span class="number">{formatCount(count)}</span>
          </li>
        ))}
        <li class="muted">
          latest <Ago at={refusals.lastAt} />
          {reasons.length > 0 && (
            <>
              , counted <Since at={totals.sinceAt} />
            </>
          )}
        </li>
      </ul>
    </Tile>
  );
}

export function OutputsTile({ outputs }: { outputs: readonly OutputAnswer[] }) {
  return (
    <Tile name="outputs" title="Outputs" href="/outputs" isWide>
      <ScrollBox label="Outputs">
        <table>
          <thead>
            <tr>
              <th scope="col">Output</th>
              <th scope="col" class="number">
                Delivered
              </th>
              <th scope="col" class="number">
                Pending
              </th>
              <th scope="col" class="number">
                Rejected
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
                  {output.title}
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

export function EnrichmentTile({ fields }: { fields: readonly FieldHits[] | null }) {
  return (
    <Tile name="enrichment" title="Enrichment" href="/enrichment">
      {fields === null ? (
        <p class="muted">Enrichment is off: no database is configured.</p>
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

export function ProcessTile({ resources }: { resources: ResourcesAnswer }) {
  const { outbox, disk } = resources;
  return (
    <Tile name="resources" title="Process" isWide>
      <dl class="facts">
        <Fact name="Memory">{formatBytes(resources.residentBytes)}</Fact>
        <Fact name="CPU">{formatRate(resources.cpuCores)} cores</Fact>
        {outbox && (
          <Fact name="Outbox">
            {formatBytes(outbox.bytes)} <span class="muted">of {formatBytes(outbox.maxBytes)}</span>
          </Fact>
        )}
        {disk && (
          <Fact name="Free disk space">
            {formatBytes(disk.freeBytes)} <span class="muted">of {formatBytes(disk.totalBytes)}</span>
          </Fact>
        )}
        <Fact name="Live tail viewers">{formatCount(resources.viewers)}</Fact>
      </dl>
    </Tile>
  );
}
