import type { SensorAnswer } from "../../server/management/api/answers.ts";
import { formatCount, formatRate, formatShortCount } from "../format/numbers.ts";
import { sensorLink } from "../models/links.ts";
import { refusedOf } from "../models/sensors-table.ts";
import { CutText } from "./cut-text.tsx";
import { ClockMark, SensorStateMark } from "./sensor-state.tsx";
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
        <SensorStateMark state={sensor.state} />
        <p class="muted">{sensor.note}</p>
        <ClockMark behindSeconds={sensor.clockBehindSeconds} />
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
      <td class={refused > 0 ? "number bad" : "number muted"} title={reasonsOf(sensor)}>
        {formatShortCount(refused)}
      </td>
    </tr>
  );
}

function reasonsOf({ totals: { refusedRequests }, claimedRefusals }: SensorAnswer): string {
  const reasons = Object.entries(refusedRequests).map(
    ([reason, count]) => `${reason}: ${formatCount(count)}`,
  );
  if (claimedRefusals > 0) reasons.push(`with this id but not its token: ${formatCount(claimedRefusals)}`);
  return reasons.join(", ") || "none";
}
