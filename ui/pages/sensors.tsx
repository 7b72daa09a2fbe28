import { useMemo, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { SensorsAnswer } from "../../server/management/api/answers.ts";
import { PageHead } from "../components/page-head.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { sensorStates } from "../components/sensor-state.tsx";
import { SensorTable } from "../components/sensor-table.tsx";
import { useKeys } from "../components/use-keys.ts";
import { type SensorCondition, SensorsTable } from "../models/sensors-table.ts";
import { pageTitle } from "../page-list.ts";

const intervalMs = 3_000;

/** Every configured sensor, including those that have never sent an event. */
export function SensorsPage() {
  const polled = usePolled<SensorsAnswer>("/api/v1/sensors", intervalMs);
  const { query } = useLocation();
  const table = useMemo(() => new SensorsTable(), []);
  const condition = isCondition(query.state) ? query.state : undefined;
  return (
    <>
      <PageHead title={pageTitle("sensors")}>
        <a class="button" href="/sensors/add">
          Add a sensor
        </a>
      </PageHead>
      <SensorsToolbar table={table} condition={condition} />
      <Resource of={polled} intervalMs={intervalMs} what="the sensors">
        {({ sensors, countedSinceAt }) => <SensorTable {...{ table, sensors, condition, countedSinceAt }} />}
      </Resource>
    </>
  );
}

interface SensorsToolbarProps {
  readonly table: SensorsTable;
  /** The condition in the page's address, by which the table is filtered. */
  readonly condition: SensorCondition | undefined;
}

function SensorsToolbar({ table, condition }: SensorsToolbarProps) {
  const { route } = useLocation();
  const search = useRef<HTMLInputElement>(null);
  useKeys([{ key: "/", says: "search the sensors", run: () => search.current?.focus() }]);
  return (
    <div class="toolbar">
      <input
        ref={search}
        type="search"
        placeholder="Search"
        aria-label="Search sensors"
        value={table.text}
        onInput={(event) => table.search(event.currentTarget.value)}
      />
      <label>
        State{" "}
        <select
          value={condition ?? ""}
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
          <option value="clock_off">clock is off</option>
        </select>
      </label>
    </div>
  );
}

function isCondition(text: string | undefined): text is SensorCondition {
  return text === "clock_off" || (text !== undefined && Object.hasOwn(sensorStates, text));
}
