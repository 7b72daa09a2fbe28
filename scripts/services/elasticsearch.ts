import { type SearchNode, startSearchNode } from "./search-node.ts";

/**
 * Starts an Elasticsearch node; see {@link startSearchNode}. 7.10.2 is the last release whose core is on Maven Central. It has
 * no x-pack: no data streams and no index lifecycle management.
 */
export function startElasticsearch(): Promise<SearchNode> {
  return startSearchNode({
    name: "Elasticsearch",
    artifact: "org.codelibs:elasticsearch-cluster-runner",
    version: "7.10.2.0",
    mainClass: "org.codelibs.elasticsearch.runner.ElasticsearchClusterRunner",
    configName: "elasticsearch.yml",
  });
}
