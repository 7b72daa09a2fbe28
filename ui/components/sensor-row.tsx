import type { SensorAnswer } from "../../server/management/api/answers.ts";
import { formatCount, formatRate, formatShortCount, formatThings } from "../format/numbers.ts";
import { formatRefusedEvents } from "../format/refused.ts";
import { sensorLink } from "../models/links.ts";
import { refusedOf } from "../models/sensors-table.ts";
import { CutText } from "./cut-text.tsx";
import { ClockOffset, SensorStateMark } from "./sensor-state.tsx";
import { Sparkline } from "./sparkline.tsx";
import { Ago } from "./times.tsx";

/** One row of the table of sensors. */
export function SensorRow({ sensor }: { sensor: SensorAnswer }) {
  const refused = refusedOf(sensor);
  return (
    <tr>
      <th scope="row">
        <a href={sensorLink(sensor.id)}>
          <CutText text={sensor.id} />
        </a>
      </th>
      <td>
        <SensorStateMark sensor={sensor} />
        <StateNote sensor={sensor} />
        {sensor.isClockOff && (
          <p class="only-narrow">
            clock: <ClockOffset sensor={sensor} />
          </p>
        )}
      </td>
      <td>
        <Ago at={sensor.lastBatchAt} />
      </td>
      <td class="number">{formatRate(sensor.perSecond.minute)}</td>
      <td class="number">{formatRate(sensor.perSecond.fiveMinutes)}</td>
      <td class="number">{formatRate(sensor.perSecond.hour)}</td>
      <td>
        <Sparkline
          values={sensor.sparkline}
          label={`Events per minute over the last hour, latest ${sensor.sparkline.at(-1) ?? 0}`}
        />
      </td>
      <td class="number" title={formatCount(sensor.totals.keptEvents)}>
        {formatShortCount(sensor.totals.keptEvents)}
      </td>
      <td class="number" title={reasonsOf(sensor)}>
        {refused.requests === 0 ? (
          <span class="muted">0</span>
        ) : (
          <>
            {refused.events > 0 && <span class="bad">{formatRefusedEvents(refused)}</span>}
            <p class="muted">{formatThings(refused.requests, "request")}</p>
          </>
        )}
      </td>
      <td>
        <ClockOffset sensor={sensor} />
      </td>
    </tr>
  );
}

/** What the state is based on. Of a sensor that loses events: how much, and why. */
function StateNote({ sensor: { state, loss, note } }: { sensor: SensorAnswer }) {
  if (state === "losing" && loss) return <p class="bad">{loss.words}</p>;
  return <p class="muted">{note}</p>;
}

function reasonsOf({ totals: { refusedRequests }, claimedRefusals }: SensorAnswer): string {
  const reasons = Object.entries(refusedRequests).map(
    ([reason, count]) => `${reason}: ${formatCount(count)}`,
  );
  if (claimedRefusals > 0) reasons.push(`with this id but not its token: ${formatCount(claimedRefusals)}`);
  return reasons.join(", ") || "none";
}
