const titles: Readonly<Record<string, string>> = {
  clickhouse: "ClickHouse",
  elasticsearch: "Elasticsearch",
};

/** An output as its makers write it. */
export function outputTitle(name: string): string {
  return titles[name] ?? name;
}
