import { useMemo } from "preact/hooks";
import { formatExactClock, formatShortDay, formatZone } from "../format/times.ts";
import type { FoundEvent } from "../models/found-event.ts";
import { RowCache } from "../models/row-cache.ts";
import { summaryOf } from "../models/tail-document.ts";
import { CutText } from "./cut-text.tsx";
import { ScrollBox } from "./scroll-box.tsx";

export interface FoundTableProps {
  readonly rows: readonly FoundEvent[];
  /** Is called when an event is chosen. It must stay the same function, so that rows are not drawn again. */
  readonly open: (id: string) => void;
}

/** Stored events, the newest first. */
export function FoundTable({ rows, open }: FoundTableProps) {
  const drawn = useMemo(() => new RowCache((row: FoundEvent) => foundRow(row, open)), [open]);
  return (
    <ScrollBox label="Events">
      <table class="events found">
        <thead>
          <tr>
            <th scope="col">Time ({formatZone(rows[0]?.receivedAt ?? 0)})</th>
            <th scope="col">Sensor</th>
            <th scope="col">Source</th>
            <th scope="col">Country</th>
            <th scope="col" class="number">
              Port
            </th>
            <th scope="col">Summary</th>
          </tr>
        </thead>
        <tbody>{rows.map((row) => drawn.get(row))}</tbody>
      </table>
    </ScrollBox>
  );
}

function foundRow({ id, receivedAt, sensorId, fields, document }: FoundEvent, open: (id: string) => void) {
  return (
    <tr key={id} onClick={() => open(id)}>
      <td class="time">
        <button type="button" class="link-button">
          <span class="muted">{formatShortDay(receivedAt)}</span> {formatExactClock(receivedAt)}
        </button>
      </td>
      <td>
        <CutText text={sensorId} />
      </td>
      <td class="mono">
        <CutText text={fields.address ?? ""} />
      </td>
      <td>{fields.countryIsoCode}</td>
      <td class="number">{fields.port}</td>
      <td class="mono what">
        <CutText text={summaryOf(document)} isDotted />
      </td>
    </tr>
  );
}
