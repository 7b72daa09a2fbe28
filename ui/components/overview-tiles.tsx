import type {
  FieldHits,
  OutputAnswer,
  OverviewAnswer,
  ResourcesAnswer,
  SensorState,
} from "../../server/management/api/answers.ts";
import { formatBytes, formatCount, formatRate, formatShortCount, formatThings } from "../format/numbers.ts";
import { formatRefused, formatRefusedEvents } from "../format/refused.ts";
import type { SensorCondition } from "../models/sensors-table.ts";
import { Fact } from "./fact.tsx";
import { outputMoods } from "./output-state.ts";
import { ScrollBox } from "./scroll-box.tsx";
import { sensorStates } from "./sensor-state.tsx";
import { ShareBar } from "./share-bar.tsx";
import { Since } from "./since.tsx";
import { type Mood, StateMark } from "./state-mark.tsx";
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

export function SensorsTile({ sensors, fleet }: Pick<OverviewAnswer, "sensors" | "fleet">) {
  const states = Object.keys(sensorStates) as SensorState[];
  const total = states.reduce((sum, state) => sum + sensors[state], 0);
  return (
    <Tile name="sensors" title="Sensors" href="/sensors">
      <div class="figures">
        <Figure value={formatCount(sensors.reporting)} unit={`of ${formatCount(total)} reporting`} />
      </div>
      <ul class="rows">
        {states.map((state) => (
          <SensorCount
            key={state}
            condition={state}
            count={sensors[state]}
            mood={sensorStates[state].mood}
            name={sensorStates[state].name}
            note={state === "losing" ? worstLossNote(fleet) : undefined}
          />
        ))}
        <SensorCount condition="clock_off" count={fleet.clocksOff} mood="attention" name="clock is off" />
      </ul>
    </Tile>
  );
}

interface SensorCountProps {
  readonly condition: SensorCondition;
  readonly count: number;
  readonly mood: Mood;
  readonly name: string;
  readonly note?: string | undefined;
}

function SensorCount({ condition, count, mood, name, note }: SensorCountProps) {
  return (
    <li>
      <span>
        <a href={`/sensors?state=${condition}`}>
          <StateMark mood={count === 0 ? "calm" : mood}>{name}</StateMark>
        </a>
        {note !== undefined && <p class="bad tile-note">{note}</p>}
      </span>
      <span class="number">{formatCount(count)}</span>
    </li>
  );
}

function worstLossNote({ worstLoss }: OverviewAnswer["fleet"]): string | undefined {
  return worstLoss ? `${worstLoss.sensorId}: ${worstLoss.words}` : undefined;
}

/** The tile lists this many reasons. */
const maxReasons = 4;

/** What was refused of sensors, and apart from it the requests of strangers. */
export function RefusalsTile({ refusals, totals }: Pick<OverviewAnswer, "refusals" | "totals">) {
  const { own, claimed, strangers } = refusals;
  const reasons = Object.entries(own.byReason).sort(([, a], [, b]) => b.requests - a.requests);
  const lastHour = {
    requests: own.requestsLastHour,
    events: own.eventsLastHour,
    isEstimate: own.isEstimate,
  };
  return (
    <Tile name="refused" title="Refusals" href="/refusals">
      <div class="figures">
        <Figure
          value={formatRefusedEvents(lastHour)}
          unit={`${own.eventsLastHour === 1 ? "event" : "events"} in ${formatThings(lastHour.requests, "request")}`}
        />
        <span class="muted">of sensors, in the last hour</span>
      </div>
      <ul class="rows">
        {reasons.slice(0, maxReasons).map(([reason, count]) => (
          <li key={reason}>
            <code>{reason}</code>
            <span class="number">{formatRefused(count)}</span>
          </li>
        ))}
        {claimed.requests > 0 && (
          <li>
            <span>with a sensor's id, not its token</span>
            <span class="number">{formatRefused(claimed)}</span>
          </li>
        )}
        <li class="muted">
          latest of a sensor{" "}
          <span>
            <Ago at={latestOf(own.lastAt, claimed.lastAt)} />
          </span>
        </li>
        <li class="muted">
          internet noise, without a valid token{" "}
          <span class="number">{formatThings(strangers.requests, "request")}</span>
        </li>
        <li class="muted">
          <span>
            counted <Since at={totals.sinceAt} />
          </span>
        </li>
      </ul>
    </Tile>
  );
}

function latestOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
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
                <td class="number">
                  {formatCount(output.deadEvents)}
                  {output.deadLetters > 0 && (
                    <p class="attention">{formatThings(output.deadLetters, "dead letter")} now</p>
                  )}
                </td>
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
