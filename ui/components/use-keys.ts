import { useEffect, useRef } from "preact/hooks";
import { bindKeys, type Key } from "../models/keys.ts";

/** Binds keys while the component is on the page; what they do may change from one drawing to the next. */
export function useKeys(keys: readonly Key[]): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const bound = latest.current.map((key, i) => ({ ...key, run: () => latest.current[i]?.run() }));
    return bindKeys(bound);
  }, []);
}
