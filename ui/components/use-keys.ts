import { useEffect, useRef } from "preact/hooks";
import type { Key } from "../models/keys.ts";
import { useApp } from "./app-context.ts";

/** Binds keys while the component is on the page. Their functions may differ from one render to the next, but not their number. */
export function useKeys(bindings: readonly Key[]): void {
  const { keys } = useApp();
  const latest = useRef(bindings);
  latest.current = bindings;
  useEffect(() => {
    return keys.bind(latest.current.map((key, i) => ({ ...key, run: () => latest.current[i]?.run() })));
  }, [keys]);
}
