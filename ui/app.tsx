import { LocationProvider, Route, Router } from "preact-iso";
import { Shell } from "./components/shell.tsx";
import { AddSensorPage } from "./pages/add-sensor.tsx";
import { AttacksPage } from "./pages/attacks.tsx";
import { EnrichmentPage } from "./pages/enrichment.tsx";
import { NotFoundPage } from "./pages/not-found.tsx";
import { OutputsPage } from "./pages/outputs.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { RefusalsPage } from "./pages/refusals.tsx";
import { SensorPage } from "./pages/sensor.tsx";
import { SensorsPage } from "./pages/sensors.tsx";
import { TailPage } from "./pages/tail.tsx";

/** The pages, by their address; the server knows the same list (server/management/management-app.ts). */
export function App() {
  return (
    <LocationProvider>
      <Shell>
        <Router>
          <Route path="/" component={OverviewPage} />
          <Route path="/sensors" component={SensorsPage} />
          <Route path="/sensors/add" component={AddSensorPage} />
          <Route path="/sensors/:id" component={SensorPage} />
          <Route path="/refusals" component={RefusalsPage} />
          <Route path="/tail" component={TailPage} />
          <Route path="/attacks" component={AttacksPage} />
          <Route path="/enrichment" component={EnrichmentPage} />
          <Route path="/outputs" component={OutputsPage} />
          <Route default component={NotFoundPage} />
        </Router>
      </Shell>
    </LocationProvider>
  );
}
