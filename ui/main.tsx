import { render } from "preact";
import { App } from "./app.tsx";
import { AppContext } from "./components/app-context.ts";
import { AppModel } from "./models/app.ts";

const page = document.getElementById("page");
if (page) {
  const app = new AppModel({
    fetch: (path, init) => fetch(path, init),
    document,
    location,
    // A browser that forbids storage throws at the access, which must fail where it is handled.
    storage: () => localStorage,
    prefersDark: matchMedia("(prefers-color-scheme: dark)"),
  });
  render(
    <AppContext.Provider value={app}>
      <App />
    </AppContext.Provider>,
    page,
  );
  // `bun run dev` runs this file again after a change, without reloading the page. Bun requires `import.meta.hot` in full.
  if (import.meta.hot) {
    import.meta.hot.accept();
    import.meta.hot.dispose(() => {
      render(null, page);
      app[Symbol.dispose]();
    });
  }
}
