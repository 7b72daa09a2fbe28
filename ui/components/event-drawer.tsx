import type { ColumnName } from "../../server/event/columns.ts";
import { formatExact } from "../format/times.ts";
import { valueQuery } from "../models/links.ts";
import type { EventRow } from "../models/tail.ts";
import { CopyButton } from "./copy-button.tsx";
import { CutText } from "./cut-text.tsx";
import { Dialog } from "./dialog.tsx";
import { DocumentView } from "./document-view.tsx";

export interface EventDrawerProps {
  readonly row: Pick<EventRow, "receivedAt" | "sensorId" | "raw" | "document" | "fields">;
  /** Where similar events are: "in the live tail". */
  readonly place: string;
  /** The address of the events that match a query. */
  readonly linkOf: (query: string) => string;
  readonly onClose: () => void;
}

/** One event in full, with links to similar events. */
export function EventDrawer({ row, place, linkOf, onClose }: EventDrawerProps) {
  const { fields } = row;
  const links: readonly (readonly [name: string, value: string | number | undefined, column: ColumnName])[] =
    [
      ["Sensor", row.sensorId, "sensor"],
      ["Source", fields.address, "ip"],
      ["Country", fields.countryIsoCode, "country"],
      ["Network", fields.asNumber, "asn"],
      ["Port", fields.port, "port"],
      ["JA4", fields.ja4, "ja4"],
      ["JA4H", fields.ja4h, "ja4h"],
      ["HASSH", fields.hassh, "hassh"],
      ["Community ID", fields.communityId, "community_id"],
    ];
  return (
    <Dialog
      kind="drawer"
      onClose={onClose}
      title={
        <>
          Event <span class="muted">{formatExact(row.receivedAt)}</span>
        </>
      }
    >
      <dl class="facts">
        {links.map(
          ([name, value, column]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd class="mono">
                  <a
                    href={linkOf(valueQuery(column, value))}
                    title={`Show only events with this value ${place}`}
                  >
                    <CutText
                      text={
                        column === "asn"
                          ? `AS${value} ${fields.asOrganizationName ?? ""}`.trim()
                          : String(value)
                      }
                    />
                  </a>
                </dd>
              </div>
            ),
        )}
      </dl>
      <p>
        <CopyButton text={row.raw} label="Copy event" />
      </p>
      <DocumentView raw={row.raw} document={row.document} />
    </Dialog>
  );
}
