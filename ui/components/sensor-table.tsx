import { useEffect, useMemo, useRef } from "preact/hooks";
import type { SensorAnswer } from "../../server/management/api/answers.ts";
import { formatCount, formatThings } from "../format/numbers.ts";
import { formatExact } from "../format/times.ts";
import { RowCache } from "../models/row-cache.ts";
import {
  type SensorColumn,
  type SensorCondition,
  type SensorsTable,
  sensorColumns,
  sortDirection,
} from "../models/sensors-table.ts";
import { ScrollBox } from "./scroll-box.tsx";
import { SensorRow } from "./sensor-row.tsx";

export interface SensorTableProps {
  readonly table: SensorsTable;
  readonly sensors: readonly SensorAnswer[];
  /** Only sensors that meet it are shown; undefined: all. */
  readonly condition: SensorCondition | undefined;
  /** When the totals of the sensors begin. */
  readonly countedSinceAt: number;
}

/** The sensors that match the search and the condition, as many as the reader has scrolled to. */
export function SensorTable({ table, sensors, condition, countedSinceAt }: SensorTableProps) {
  const rows = useMemo(
    () => new RowCache((sensor: SensorAnswer) => <SensorRow key={sensor.id} sensor={sensor} />),
    [],
  );
  const selected = table.select(sensors, condition);
  const hiddenCount = selected.length - table.maxRows.value;
  return (
    <>
      <p class="muted" role="status">
        {selected.length === sensors.length
          ? formatThings(sensors.length, "sensor")
          : `${formatCount(selected.length)} of ${formatThings(sensors.length, "sensor")}`}
      </p>
      <ScrollBox label="Sensors">
        <table class="sensors">
          <SensorTableHead table={table} countedSinceAt={countedSinceAt} />
          <tbody>{selected.slice(0, table.maxRows.value).map((sensor) => rows.get(sensor))}</tbody>
        </table>
      </ScrollBox>
      {hiddenCount > 0 && (
        <MoreRows key={table.maxRows.value} count={hiddenCount} onSeen={() => table.showMore()} />
      )}
      {selected.length === 0 && <p class="placeholder">No sensor matches.</p>}
    </>
  );
}

function SensorTableHead({ table, countedSinceAt }: Pick<SensorTableProps, "table" | "countedSinceAt">) {
  const since = `since ${formatExact(countedSinceAt)}`;
  return (
    <thead>
      <tr>
        <SortHead table={table} column="id" />
        <SortHead table={table} column="state" />
        <SortHead table={table} column="last" />
        <SortHead table={table} column="minute" tooltip="Events per second over the last minute" />
        <SortHead table={table} column="fiveMinutes" tooltip="Events per second over the last 5 minutes" />
        <SortHead table={table} column="hour" tooltip="Events per second over the last hour" />
        <th scope="col">Last hour</th>
        <SortHead table={table} column="events" tooltip={`Events kept ${since}`} />
        <SortHead table={table} column="refused" tooltip={`Events refused ${since}, and their requests`} />
        <SortHead table={table} column="clock" tooltip="How far the sensor's clock is off" />
      </tr>
    </thead>
  );
}

interface SortHeadProps {
  readonly table: SensorsTable;
  readonly column: SensorColumn;
  readonly tooltip?: string;
}

function SortHead({ table, column, tooltip }: SortHeadProps) {
  const sort = table.sort.value;
  const isNumber = !["id", "state", "last", "clock"].includes(column);
  return (
    <th
      scope="col"
      class={isNumber ? "number" : undefined}
      aria-sort={column === sort.column ? sortDirection(sort) : undefined}
      title={tooltip}
    >
      <button type="button" onClick={() => table.sortBy(column)}>
        {sensorColumns[column].name}
      </button>
    </th>
  );
}

/** A button that draws more rows, also when it scrolls into view. */
function MoreRows({ count, onSeen }: { count: number; onSeen: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) onSeen();
    });
    if (button.current) observer.observe(button.current);
    return () => observer.disconnect();
  }, []);
  return (
    <button ref={button} type="button" onClick={onSeen}>
      Show more ({formatThings(count, "sensor")})
    </button>
  );
}
