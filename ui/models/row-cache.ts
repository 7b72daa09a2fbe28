/**
 * Keeps what was built from a row for as long as the row object exists. A component that returns the same virtual node
 * again costs no comparison, so a table of a thousand rows is redrawn only where it changed.
 */
export class RowCache<Row extends object, Built> {
  readonly #built = new WeakMap<Row, Built>();
  readonly #build: (row: Row) => Built;

  constructor(build: (row: Row) => Built) {
    this.#build = build;
  }

  get(row: Row): Built {
    const known = this.#built.get(row);
    if (known !== undefined) return known;
    const built = this.#build(row);
    this.#built.set(row, built);
    return built;
  }
}
