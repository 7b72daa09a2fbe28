import type { EventFilter } from "../../server/monitoring/tail/event-filter.ts";
import { formatExact } from "../format/times.ts";
import { tailLink } from "../models/links.ts";
import type { EventRow } from "../models/tail.ts";
import { CopyButton } from "./copy-button.tsx";
import { CutText } from "./cut-text.tsx";
import { Dialog } from "./dialog.tsx";
import { DocumentView } from "./document-view.tsx";

/** One event in full, with links to similar events. */
export function EventDrawer({ row, onClose }: { row: EventRow; onClose: () => void }) {
  const { fields } = row;
  const links: readonly (readonly [
    name: string,
    value: string | number | undefined,
    filter: keyof EventFilter,
  ])[] = [
    ["Sensor", row.sensorId, "sensor"],
    ["Source", fields.address, "address"],
    ["Country", fields.countryIsoCode, "country"],
    ["Network", fields.asNumber, "asn"],
    ["Port", fields.port, "port"],
    ["JA4", fields.ja4, "ja4"],
    ["JA4H", fields.ja4h, "ja4h"],
    ["HASSH", fields.hassh, "hassh"],
    ["Community ID", fields.communityId, "communityId"],
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
          ([name, value, filter]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd class="mono">
                  <a href={tailLink(filter, value)} title="Show only events with this value in the live tail">
                    <CutText
                      text={
                        filter === "asn"
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
