import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import { PageHead } from "../components/page-head.tsx";
import { QueryLine } from "../components/query-line.tsx";
import { TailView } from "../components/tail-view.tsx";
import { tailLink } from "../models/links.ts";
import { searchLink } from "../models/search-query.ts";
import { isFormerAddress, parseTailQuery, queryOfAddress } from "../models/tail-query.ts";
import { pageTitle } from "../page-list.ts";

/** Events as they arrive. The query is in the page's address, so that it can be bookmarked and shared. */
export function TailPage() {
  const { query: parameters, route } = useLocation();
  const text = queryOfAddress(parameters);
  const isFormer = isFormerAddress(parameters);
  useEffect(() => {
    if (isFormer) route(tailLink(text), true);
  }, [isFormer, text, route]);
  const parsed = parseTailQuery(text);
  // While the query is incomplete, the last valid one stays in use.
  const applied = useRef("");
  if (parsed.kind === "accepted") applied.current = text;
  return (
    <>
      <PageHead title={pageTitle("tail")}>
        <a href={searchLink({ text: applied.current })}>Search stored events</a>
      </PageHead>
      <QueryLine
        text={text}
        error={parsed.kind === "refused" ? parsed.refusal : undefined}
        onText={(changed) => route(tailLink(changed), true)}
      />
      <TailView query={applied.current} />
    </>
  );
}
