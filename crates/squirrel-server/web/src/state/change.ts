// Changes: requests that need the daemon's token. It is asked for once, kept for this tab's session and sent
// only as a header, never in an address.

import { signal } from "@preact/signals";
import type { Done } from "./alert-types";
import { refreshAlerts } from "./alerts";
import { ApiError, change } from "./api";

const KEY = "squirrel.token";

/** Somebody waits for the token; `refused` when the last one was not the daemon's. */
export const tokenWanted = signal<{ refused: boolean; give: (token: string | null) => void } | null>(null);

/** What was done last, in a sentence. */
export const notice = signal<string | null>(null);

const askFor = (refused: boolean): Promise<string | null> =>
  new Promise((resolve) => {
    tokenWanted.value = {
      refused,
      give: (token) => {
        tokenWanted.value = null;
        resolve(token);
      },
    };
  });

/** Changes something, and asks for the token as often as it takes; null when the person gave up on that. */
export async function act<T = Done>(path: string, body: object): Promise<T | null> {
  let token = sessionStorage.getItem(KEY) ?? (await askFor(false));
  while (token !== null) {
    try {
      const done = (await change(path, body, token)) as T;
      sessionStorage.setItem(KEY, token);
      await refreshAlerts();
      return done;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      sessionStorage.removeItem(KEY);
      token = await askFor(true);
    }
  }
  return null;
}

/** The sentence of a failure. */
export const whyOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
