import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { SensorAnswer, SensorState, SensorsAnswer } from "../../server/management/api/answers.ts";
import { CutText } from "../components/cut-text.tsx";
import { PageHead } from "../components/page-head.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { ScrollBox } from "../components/scroll-box.tsx";
import { ClockMark, SensorStateMark, sensorStates } from "../components/sensor-state.tsx";
import { Sparkline } from "../components/sparkline.tsx";
import { Ago } from "../components/times.tsx";
import { useKeys } from "../components/use-keys.ts";
import { formatCount, formatRate, formatShortCount, formatThings } from "../format/numbers.ts";
import {
  refusedOf,
  type SensorColumn,
  type SensorSort,
  selectSensors,
  sensorColumns,
} from "../models/sensors-table.ts";

const intervalMs = 3_000;
/** Rows that are drawn at first, and more each time the end of them comes into view. */
const rowsAtOnce = 100;

/** Every configured sensor, also those that never came. */
export function SensorsPage() {
  const polled = usePolled<SensorsAnswer>("/api/v1/sensors", intervalMs);
  const { query, route } = useLocation();
  const text = useSignal("");
  const sort = useSignal<SensorSort>({ column: "state", isReversed: false });
  const maxRows = useSignal(rowsAtOnce);
  const search = useRef<HTMLInputElement>(null);
  const state = isState(query.state) ? query.state : undefined;
  useKeys([{ key: "/", says: "search", run: () => search.current?.focus() }]);

  const sortBy = (column: SensorColumn) => {
    const isSame = sort.value.column === column;
    sort.value = { column, isReversed: isSame && !sort.value.isReversed };
    maxRows.value = rowsAtOnce;
  };

  return (
    <>
      <PageHead title="Sensors">
        <a class="button" href="/sensors/add">
          Add a sensor
        </a>
      </PageHead>
      <div class="toolbar">
        <input
          ref={search}
          type="search"
          placeholder="Search"
          aria-label="Search sensors"
          value={text}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            maxRows.value = rowsAtOnce;
          }}
        />
        <label>
          State{" "}
          <select
            value={state ?? ""}
            onChange={({ currentTarget: { value } }) =>
              route(value === "" ? "/sensors" : `/sensors?state=${value}`, true)
            }
          >
            <option value="">all</option>
            {Object.entries(sensorStates).map(([value, { name }]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Resource of={polled} intervalMs={intervalMs} what="the sensors">
        {({ sensors }) => {
          const selected = selectSensors(sensors, { text: text.value, state, sort: sort.value });
          return (
            <>
              <p class="muted" role="status">
                {selected.length === sensors.length
                  ? formatThings(sensors.length, "sensor")
                  : `${formatCount(selected.length)} of ${formatThings(sensors.length, "sensor")}`}
              </p>
              <ScrollBox label="Sensors, as a table">
                <table class="sensors">
                  <thead>
                    <tr>
                      <SortHead column="id" sort={sort.value} onSort={sortBy} />
                      <SortHead column="state" sort={sort.value} onSort={sortBy} />
                      <SortHead column="last" sort={sort.value} onSort={sortBy} />
                      <SortHead
                        column="minute"
                        sort={sort.value}
                        onSort={sortBy}
                        unit="events/s over 1 min"
                      />
                      <SortHead
                        column="fiveMinutes"
                        sort={sort.value}
                        onSort={sortBy}
                        unit="events/s over 5 min"
                      />
                      <SortHead column="hour" sort={sort.value} onSort={sortBy} unit="events/s over 1 h" />
                      <th scope="col">Last hour</th>
                      <SortHead column="events" sort={sort.value} onSort={sortBy} />
                      <SortHead column="refused" sort={sort.value} onSort={sortBy} />
                    </tr>
                  </thead>
                  <tbody>{selected.slice(0, maxRows.value).map(sensorRow)}</tbody>
                </table>
              </ScrollBox>
              {selected.length > maxRows.value && (
                <MoreRows
                  key={maxRows.value}
                  hidden={selected.length - maxRows.value}
                  onSeen={() => {
                    maxRows.value += 2 * rowsAtOnce;
                  }}
                />
              )}
              {selected.length === 0 && <p class="placeholder">No sensor is like that.</p>}
            </>
          );
        }}
      </Resource>
    </>
  );
}

/** Draws the next rows once somebody comes near them. */
function MoreRows({ hidden, onSeen }: { hidden: number; onSeen: () => void }) {
  const end = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) onSeen();
    });
    if (end.current) observer.observe(end.current);
    return () => observer.disconnect();
  }, []);
  return (
    <button ref={end} type="button" onClick={onSeen}>
      {formatThings(hidden, "more sensor")}
    </button>
  );
}

interface SortHeadProps {
  readonly column: SensorColumn;
  readonly sort: SensorSort;
  readonly onSort: (column: SensorColumn) => void;
  readonly unit?: string;
}

function SortHead({ column, sort, onSort, unit }: SortHeadProps) {
  const isChosen = sort.column === column;
  const isNumber = column !== "id" && column !== "state" && column !== "last";
  return (
    <th
      scope="col"
      class={isNumber ? "number" : undefined}
      aria-sort={isChosen ? (sort.isReversed ? "descending" : "ascending") : undefined}
      title={unit}
    >
      <button type="button" onClick={() => onSort(column)}>
        {sensorColumns[column].name}
      </button>
    </th>
  );
}

/** Rows as drawn for an answer: what has not changed is not compared again, so a thousand sensors cost little. */
const drawnRows = new WeakMap<SensorAnswer, VNode>();
const latestAnswers = new Map<string, { json: string; sensor: SensorAnswer }>();

function sensorRow(sensor: SensorAnswer): VNode {
  const same = sameAsBefore(sensor);
  let row = drawnRows.get(same);
  if (!row) {
    row = <SensorRow key={same.id} sensor={same} />;
    drawnRows.set(same, row);
  }
  return row;
}

function sameAsBefore(sensor: SensorAnswer): SensorAnswer {
  const before = latestAnswers.get(sensor.id);
  if (before?.sensor === sensor) return sensor;
  const json = JSON.stringify(sensor);
  if (before?.json === json) return before.sensor;
  latestAnswers.set(sensor.id, { json, sensor });
  return sensor;
}

function SensorRow({ sensor }: { sensor: SensorAnswer }) {
  const refused = refusedOf(sensor);
  return (
    <tr>
      <th scope="row">
        <a href={`/sensors/${encodeURIComponent(sensor.id)}`}>
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
          label={`events a minute over the last hour, now ${sensor.sparkline.at(-1) ?? 0}`}
        />
      </td>
      <td class="number" title={formatCount(sensor.keptEvents)}>
        {formatShortCount(sensor.keptEvents)}
      </td>
      <td class={refused > 0 ? "number bad" : "number muted"} title={reasonsOf(sensor)}>
        {formatShortCount(refused)}
      </td>
    </tr>
  );
}

function reasonsOf({ refusedRequests, claimedRefusals }: SensorAnswer): string {
  const reasons = Object.entries(refusedRequests).map(
    ([reason, count]) => `${reason}: ${formatCount(count)}`,
  );
  if (claimedRefusals > 0) reasons.push(`without its token: ${formatCount(claimedRefusals)}`);
  return reasons.join(", ") || "none";
}

function isState(text: string | undefined): text is SensorState {
  return text !== undefined && Object.hasOwn(sensorStates, text);
}
