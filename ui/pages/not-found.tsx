import { PageHead } from "../components/page-head.tsx";

export function NotFoundPage() {
  return (
    <>
      <PageHead title="No such page" />
      <p class="placeholder">
        There is nothing at this address. <a href="/">To the overview</a>
      </p>
    </>
  );
}
