import type { RefusalAnswer } from "../../server/management/api/answers.ts";
import { formatCount } from "../format/numbers.ts";
import { formatRefusedEvents } from "../format/refused.ts";
import { sensorLink } from "../models/links.ts";
import { CutText } from "./cut-text.tsx";
import { ScrollBox } from "./scroll-box.tsx";
import { Ago } from "./times.tsx";

export interface RefusalTableProps {
  readonly refusals: readonly RefusalAnswer[];
  readonly advice?: Readonly<Record<string, { readonly cause: string; readonly cure: string }>>;
  /** True for requests that concern no sensor: they are shown in grey, and without events. */
  readonly isOfStrangers?: boolean;
}

/** Refused requests, grouped by client, sensor and reason, with the cause and the fix if there is advice. */
export function RefusalTable({ refusals, advice, isOfStrangers = false }: RefusalTableProps) {
  return (
    <ScrollBox label={isOfStrangers ? "Internet noise, as a table" : "Refused requests, as a table"}>
      <table class={isOfStrangers ? "refusals noise" : "refusals"}>
        <thead>
          <tr>
            <th scope="col">Last seen</th>
            <th scope="col">Reason</th>
            <th scope="col">Sensor</th>
            <th scope="col">Client</th>
            <th scope="col" class="number">
              Requests
            </th>
            {!isOfStrangers && (
              <th scope="col" class="number">
                Events
              </th>
            )}
            <th scope="col">First seen</th>
          </tr>
        </thead>
        <tbody>
          {refusals.map((refusal) => (
            <RefusalRow key={keyOf(refusal)} refusal={refusal} advice={advice?.[refusal.reason]} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function RefusalRow({
  refusal,
  advice,
}: {
  refusal: RefusalAnswer;
  advice: { readonly cause: string; readonly cure: string } | undefined;
}) {
  return (
    <tr>
      <td>
        <Ago at={refusal.lastAt} />
      </td>
      <td class="reason">
        <code>{refusal.reason}</code> <span class="muted">{refusal.status}</span>
        {refusal.detail !== null && (
          <p>
            <CutText text={refusal.detail} />
          </p>
        )}
        {advice && (
          <p class="muted advice">
            {advice.cause} {advice.cure}
          </p>
        )}
      </td>
      <td>
        <SensorOf refusal={refusal} />
      </td>
      <td class="mono">
        {refusal.client === null ? <span class="muted">unknown</span> : <CutText text={refusal.client} />}
      </td>
      <td class="number">{formatCount(refusal.count)}</td>
      {!refusal.isStranger && <td class="number">{formatRefusedEvents(refusal)}</td>}
      <td>
        <Ago at={refusal.firstAt} />
      </td>
    </tr>
  );
}

function SensorOf({ refusal: { sensorId, claimedSensorId } }: { refusal: RefusalAnswer }) {
  const claim = claimedSensorId !== null && (
    <>
      <span class="muted">claims </span>
      <CutText text={claimedSensorId} />
    </>
  );
  if (sensorId === null) return claim || <span class="muted">not given</span>;
  return (
    <>
      <a href={sensorLink(sensorId)}>
        <CutText text={sensorId} />
      </a>{" "}
      {claim}
    </>
  );
}

function keyOf({ reason, sensorId, claimedSensorId, client }: RefusalAnswer): string {
  return JSON.stringify([reason, sensorId, claimedSensorId, client]);
}
