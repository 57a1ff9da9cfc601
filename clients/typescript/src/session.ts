// Who is logged in: the access token in memory, the refresh token in a cookie that no script can read.
import { codeOf, problemIn } from "./problem.js";
import type { components } from "./schema.js";

export interface Credentials {
  email: string;
  password: string;
  /** Staff with a second factor. */
  code?: string;
}

export interface Session {
  token(): string | undefined;
  /** After a request with the token `used` was refused: whether there is another to repeat it with. */
  renewed(used: string | undefined): Promise<boolean>;
  login(credentials: Credentials): Promise<void>;
  resume(): Promise<boolean>;
  logout(): Promise<void>;
}

/**
 * Whether an answer says that a login is missing or too old. A login that was refused is a 401 as well, with a code of
 * its own; and the gateway's authorizer refuses a staff token that is too old with 403, without a code.
 */
export async function lapsed(answer: Response): Promise<boolean> {
  if (answer.status !== 401 && answer.status !== 403) return false;
  const code = codeOf(await answer.clone().json().catch(() => undefined));
  return code === undefined || code === "not_logged_in";
}

/**
 * One after the other, in all tabs where the browser has locks: a refresh token that is shown twice counts as stolen
 * and ends the session, and tabs share their cookie.
 */
function turns(name: string): <T>(act: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(act: () => Promise<T>) => {
    const mine = last.then(async (): Promise<T> => {
      const locks = globalThis.navigator?.locks;
      return locks ? await locks.request(name, act) : await act();
    });
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** `auth` is the address under which login, refresh and logout of the audience lie. */
export function createSession(send: typeof fetch, auth: string, onLoggedOut: () => void): Session {
  // In memory only: whatever reads the page's storage finds nothing.
  let token: string | undefined;
  // The cookie was refused or given up: it is not tried again before somebody logs in.
  let over = false;
  let renewing: Promise<boolean> | undefined;
  const inTurn = turns(`qutab ${auth}`);

  // Only these need the cookie, and only they may set or clear it.
  const post = (route: string, init: RequestInit = {}) => send(`${auth}/${route}`, { method: "POST", credentials: "include", ...init });

  async function take(answer: Response): Promise<void> {
    token = ((await answer.json()) as components["schemas"]["Tokens"]).access_token;
    over = false;
  }

  /** Exchanges the cookie for a token; false where the session is over. Out of reach is not over: that is an error. */
  async function exchange(): Promise<boolean> {
    const answer = await post("refresh");
    if (answer.ok) {
      await take(answer);
      return true;
    }
    if (answer.status !== 401 && answer.status !== 403) throw await problemIn(answer);
    token = undefined;
    over = true;
    return false;
  }

  function renewed(used: string | undefined): Promise<boolean> {
    renewing ??= inTurn(async () => {
      // A login, a logout or another request may have come first.
      if (token !== used) return token !== undefined;
      if (over) return false;
      if (await exchange()) return true;
      onLoggedOut();
      return false;
    }).finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  return {
    token: () => token,
    renewed,
    login: (credentials) =>
      inTurn(async () => {
        const headers = { "content-type": "application/json" };
        const answer = await post("login", { headers, body: JSON.stringify(credentials) });
        if (!answer.ok) throw await problemIn(answer);
        await take(answer);
      }),
    resume: () => inTurn(exchange),
    logout: () =>
      inTurn(async () => {
        const leave = () => post("logout", { headers: { authorization: `Bearer ${token}` } });
        try {
          // The token says which session ends. Without a good one the cookie would outlive the logout.
          if (token === undefined && !(await exchange())) return;
          let answer = await leave();
          if (await lapsed(answer)) {
            if (!(await exchange())) return;
            answer = await leave();
          }
          if (!answer.ok) throw await problemIn(answer);
        } finally {
          token = undefined;
          over = true;
        }
      }),
  };
}
