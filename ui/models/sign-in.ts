import { createModel, signal } from "@preact/signals";
import { type ApiClient, ApiError } from "./api-client.ts";
import { nextPage } from "./next-page.ts";

export interface SignInOptions {
  readonly api: Pick<ApiClient, "findSession" | "signIn">;
  readonly location: Pick<Location, "search" | "origin" | "replace">;
}

/** The sign-in page's state. */
export const SignInModel = createModel(({ api, location }: SignInOptions) => {
  const problem = signal<string | undefined>(undefined);
  const isBusy = signal(false);
  const goBack = () => location.replace(nextPage(location.search, location.origin));
  return {
    /** Why the last attempt failed, as a sentence. */
    problem,
    isBusy,
    async submit(token: string): Promise<void> {
      isBusy.value = true;
      problem.value = undefined;
      try {
        await api.signIn(token);
        goBack();
      } catch (error) {
        problem.value = sentenceOf(error);
        isBusy.value = false;
      }
    },
    /** Leaves the page if there is a session: a link from another site arrives here, since it is sent without the cookie. */
    async resume(): Promise<void> {
      if (await api.findSession().catch(() => undefined)) goBack();
    },
  };
});

function sentenceOf(error: unknown): string {
  const status = error instanceof ApiError ? error.status : 0;
  if (status === 401) return "Wrong token. A sign-in link from the log works only once.";
  if (status === 429) return "Too many wrong tokens from this network. Try again in a few seconds.";
  return `Cannot sign in: ${error instanceof Error ? error.message : error}.`;
}
