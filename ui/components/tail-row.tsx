import type { VNode } from "preact";
import { formatClock } from "../format/times.ts";
import type { EventRow, TailRow } from "../models/tail.ts";
import { summaryOf } from "../models/tail-document.ts";
import { CutText } from "./cut-text.tsx";

/** One row of the tail's table. @param open is called when an event is chosen */
export function tailRow(row: TailRow, isCompact: boolean, open: (row: EventRow) => void): VNode {
  if (row.kind === "event") return eventRow(row, isCompact, open);
  return (
    <tr key={row.key} class="gap">
      <td colSpan={7}>{row.text}</td>
    </tr>
  );
}

function eventRow(row: EventRow, isCompact: boolean, open: (row: EventRow) => void): VNode {
  const { fields } = row;
  const place = [fields.countryIsoCode, fields.cityName].filter(Boolean).join(" ");
  const network = [fields.asNumber === undefined ? "" : `AS${fields.asNumber}`, fields.asOrganizationName]
    .filter(Boolean)
    .join(" ");
  return (
    <tr key={row.key} onClick={() => open(row)}>
      <td class="time">
        <button type="button" class="link-button" onClick={() => open(row)}>
          {formatClock(row.receivedAt)}
        </button>
      </td>
      {!isCompact && (
        <td>
          <CutText text={row.sensorId} />
        </td>
      )}
      <td class="mono">
        <CutText text={fields.address ?? ""} />
      </td>
      <td>
        <CutText text={place} />
      </td>
      <td>
        <CutText text={network} />
      </td>
      <td class="number">{fields.port}</td>
      <td class="mono what">
        <CutText text={summaryOf(row.document)} />
      </td>
    </tr>
  );
}
