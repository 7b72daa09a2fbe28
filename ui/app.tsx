import type { ComponentType } from "preact";
import { LocationProvider, Route, Router } from "preact-iso";
import { Shell } from "./components/shell.tsx";
import { type PageId, pages } from "./page-list.ts";
import { AddSensorPage } from "./pages/add-sensor.tsx";
import { AttacksPage } from "./pages/attacks.tsx";
import { EnrichmentPage } from "./pages/enrichment.tsx";
import { NotFoundPage } from "./pages/not-found.tsx";
import { OutputsPage } from "./pages/outputs.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { RefusalsPage } from "./pages/refusals.tsx";
import { SearchPage } from "./pages/search.tsx";
import { SensorPage } from "./pages/sensor.tsx";
import { SensorsPage } from "./pages/sensors.tsx";
import { TailPage } from "./pages/tail.tsx";

/** The component of each page of the list; a page without one does not compile. */
const components: Readonly<Record<PageId, ComponentType>> = {
  overview: OverviewPage,
  sensors: SensorsPage,
  addSensor: AddSensorPage,
  sensor: SensorPage,
  search: SearchPage,
  tail: TailPage,
  attacks: AttacksPage,
  refusals: RefusalsPage,
  enrichment: EnrichmentPage,
  outputs: OutputsPage,
};

/** The dashboard; `AppContext` must be provided around it. */
export function App() {
  return (
    <LocationProvider>
      <Shell>
        <Router>
          {pages.map(({ id, path }) => (
            <Route key={id} path={path} component={components[id]} />
          ))}
          <Route default component={NotFoundPage} />
        </Router>
      </Shell>
    </LocationProvider>
  );
}
