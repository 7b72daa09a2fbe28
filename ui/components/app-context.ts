import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { AppModel } from "../models/app.ts";

/** Provided once, in main.tsx. */
export const AppContext = createContext<InstanceType<typeof AppModel> | undefined>(undefined);

/** The models that live as long as the page: the API, the clock, the keys, the theme and the overview. */
export function useApp(): InstanceType<typeof AppModel> {
  const app = useContext(AppContext);
  if (!app) throw new Error("BUG: no AppContext around this component");
  return app;
}
