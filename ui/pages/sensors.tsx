import { useMemo, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { SensorState, SensorsAnswer } from "../../server/management/api/answers.ts";
import { PageHead } from "../components/page-head.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { sensorStates } from "../components/sensor-state.tsx";
import { SensorTable } from "../components/sensor-table.tsx";
import { useKeys } from "../components/use-keys.ts";
import { SensorsTable } from "../models/sensors-table.ts";
import { pageTitle } from "../page-list.ts";

const intervalMs = 3_000;

/** Every configured sensor, including those that have never sent an event. */
export function SensorsPage() {
  const polled = usePolled<SensorsAnswer>("/api/v1/sensors", intervalMs);
  const { query } = useLocation();
  const table = useMemo(() => new SensorsTable(), []);
  const state = isState(query.state) ? query.state : undefined;
  return (
    <>
      <PageHead title={pageTitle("sensors")}>
        <a class="button" href="/sensors/add">
          Add a sensor
        </a>
      </PageHead>
      <SensorsToolbar table={table} state={state} />
      <Resource of={polled} intervalMs={intervalMs} what="the sensors">
        {({ sensors, countedSinceAt }) => (
          <SensorTable table={table} sensors={sensors} state={state} countedSinceAt={countedSinceAt} />
        )}
      </Resource>
    </>
  );
}

interface SensorsToolbarProps {
  readonly table: SensorsTable;
  /** The state in the page's address, by which the table is filtered. */
  readonly state: SensorState | undefined;
}

function SensorsToolbar({ table, state }: SensorsToolbarProps) {
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
  );
}

function isState(text: string | undefined): text is SensorState {
  return text !== undefined && Object.hasOwn(sensorStates, text);
}
