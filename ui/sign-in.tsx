import { signal } from "@preact/signals";
import { render } from "preact";
import { ApiError, findSession, signIn } from "./models/api-client.ts";
import { nextPage } from "./models/next-page.ts";

const problem = signal<string | undefined>(undefined);
const isBusy = signal(false);

/** The one-time token of a link from the log; only the part after "#" holds it, which no server gets to see. */
function takeLinkToken(): string | undefined {
  const token = location.hash.slice(1);
  if (token === "") return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return token;
}

async function submitToken(token: string): Promise<void> {
  isBusy.value = true;
  problem.value = undefined;
  try {
    await signIn(token);
    location.replace(nextPage(location.search, location.origin));
  } catch (error) {
    problem.value = sentenceOf(error);
    isBusy.value = false;
  }
}

function sentenceOf(error: unknown): string {
  const status = error instanceof ApiError ? error.status : 0;
  if (status === 401) return "That token is not the right one. A link from the log works only once.";
  if (status === 429) return "Too many wrong tokens from here. Try again in a few seconds.";
  return error instanceof ApiError ? error.message : String(error);
}

async function goOnWithSession(): Promise<void> {
  // A link from another site comes without the cookie, so it ends here though there is a session.
  const session = await findSession().catch(() => undefined);
  if (session) location.replace(nextPage(location.search, location.origin));
}

function SignIn() {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget as HTMLFormElement).get("token");
    if (typeof token === "string" && token !== "") void submitToken(token.trim());
  };
  return (
    <main>
      <h1>Loom</h1>
      <form onSubmit={submit}>
        {/* For password managers, which file a password under a name. */}
        <input type="text" name="username" autocomplete="username" value="loom" hidden />
        <label for="token">Sign-in token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          autofocus
          required
          aria-describedby="where problem"
        />
        <button type="submit" disabled={isBusy}>
          Sign in
        </button>
        <p id="problem" role="alert">
          {problem}
        </p>
      </form>
      <div id="where">
        <h2>Where is it?</h2>
        <ul>
          <li>
            It is what <code>LOOM_ADMIN_TOKEN</code> was set to where Loom was started.
          </li>
          <li>
            Without that, Loom's log has a link that signs you in once: look for{" "}
            <code>sign in to the dashboard</code>, for example with{" "}
            <code>journalctl -u loom | grep "sign in"</code>.
          </li>
        </ul>
      </div>
    </main>
  );
}

const linkToken = takeLinkToken();
const page = document.getElementById("page");
if (page) render(<SignIn />, page);
if (linkToken === undefined) void goOnWithSession();
else void submitToken(linkToken);
