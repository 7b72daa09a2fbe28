import { signals } from "./signals.ts";

// A module of its own, so that loom.ts can import it before all others, which take longer to load.
signals.listen();
