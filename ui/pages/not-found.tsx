import { PageHead } from "../components/page-head.tsx";

export function NotFoundPage() {
  return (
    <>
      <PageHead title="Page not found" />
      <p class="placeholder">
        There is no page at this address. <a href="/">Go to the overview</a>
      </p>
    </>
  );
}
