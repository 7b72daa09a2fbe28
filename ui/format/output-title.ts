const titles: Readonly<Record<string, string>> = {
  clickhouse: "ClickHouse",
  elasticsearch: "Elasticsearch",
};

/** The name of an output as its vendor writes it. */
export function outputTitle(name: string): string {
  return titles[name] ?? name;
}
