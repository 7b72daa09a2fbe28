import { render } from "preact";
import { ApiClient } from "./models/api-client.ts";
import { SignInModel } from "./models/sign-in.ts";

/** The token of a sign-in link from the log: the part of the address after "#", which browsers do not send to a server. */
function takeLinkToken(): string | undefined {
  const token = location.hash.slice(1);
  if (token === "") return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return token;
}

function SignIn({ model }: { model: InstanceType<typeof SignInModel> }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget as HTMLFormElement).get("token");
    if (typeof token === "string" && token !== "") void model.submit(token.trim());
  };
  return (
    <main>
      <h1>Loom</h1>
      <form onSubmit={submit}>
        {/* Password managers store a password under a user name. */}
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
        <button type="submit" disabled={model.isBusy}>
          Sign in
        </button>
        <p id="problem" role="alert">
          {model.problem}
        </p>
      </form>
      <TokenHelp />
    </main>
  );
}

function TokenHelp() {
  return (
    <div id="where">
      <h2>Where to find the token</h2>
      <ul>
        <li>
          The token is the value of the environment variable <code>LOOM_ADMIN_TOKEN</code> that Loom was
          started with.
        </li>
        <li>
          If the variable is not set, Loom writes a link to its log that signs you in once. Look for{" "}
          <code>sign in to the dashboard</code>, for example with{" "}
          <code>journalctl -u loom | grep "sign in"</code>.
        </li>
      </ul>
    </div>
  );
}

const page = document.getElementById("page");
if (page) {
  const linkToken = takeLinkToken();
  const api = new ApiClient({ fetch: (path, init) => fetch(path, init), location });
  const model = new SignInModel({ api, location });
  render(<SignIn model={model} />, page);
  void (linkToken === undefined ? model.resume() : model.submit(linkToken));
}
