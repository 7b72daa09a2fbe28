export const helpText = `Loom receives events from honeypot sensors, enriches them, and delivers them.

Usage:
  loom -config loom.toml     run with this configuration (default: loom.toml)
  loom demo                  try it: no configuration, made-up databases, replayed sensor requests
      -no-replay                     send nothing by itself
      -listen-address ADDR           ingest, default 127.0.0.1:8080
      -management-listen-address ADDR    default 127.0.0.1:9080
  loom example-config        print an annotated configuration file
  loom schema clickhouse     print the tables for ClickHouse
  loom schema elasticsearch  print the index template for Elasticsearch and OpenSearch
  loom dead-letters list|show|retry|drop -config loom.toml [--output NAME] [SEQUENCE…|--all]
                             what an output refused for good
  loom version               print the version
  loom help                  print this

Tokens come from auth.token_file or LOOM_SENSOR_<id>, never from the command line.
LOOM_ADMIN_TOKEN signs in to the dashboard; without it the log has a link that does.
Signals: SIGTERM and SIGINT stop after answering what is in flight;
SIGHUP reads tokens, certificate and databases again.
Events go to stdout where that is the output, everything else to stderr.
`;
