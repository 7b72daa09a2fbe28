/** Adds a listener. @returns a function that removes it */
export function listen<Kind extends Event>(
  target: EventTarget,
  type: string,
  listener: (event: Kind) => void,
): () => void {
  const handle = (event: Event): void => listener(event as Kind);
  target.addEventListener(type, handle);
  return () => target.removeEventListener(type, handle);
}
