import type { ApiError } from "../models/api-client.ts";

const storeConfiguration = '[output]\ntype = "store"';

/** Why nothing can be searched: there is no history, and how to get one, or a search that failed. */
export function SearchProblem({ problem, onRetry }: { problem: ApiError; onRetry: () => void }) {
  if (problem.body.hasHistory === false)
    return (
      <div class="placeholder">
        <p>Nothing can be searched: {problem.message}.</p>
        <p>
          Loom stores events on its own disk, and finds them here, if the configuration has the output{" "}
          <code>store</code>, alone or in a list with others:
        </p>
        <div class="snippet">
          <pre>{storeConfiguration}</pre>
        </div>
        <p>Events that arrive after the restart of Loom can be searched.</p>
      </div>
    );
  return (
    <div class="placeholder bad" role="alert">
      <p>The search failed: {problem.message}.</p>
      <button type="button" onClick={onRetry}>
        Search again
      </button>
    </div>
  );
}
