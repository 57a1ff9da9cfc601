// The API with its types, a session that renews itself, and problems as errors.
import createClient, { type Client } from "openapi-fetch";
import { problemOf, unwrap } from "./problem.js";
import type { components, paths } from "./schema.js";

export { QutabProblem, unwrap, type Problem, type ProblemCode } from "./problem.js";
export type { components, paths } from "./schema.js";
/** The shapes by name: `Schemas["Order"]`. */
export type Schemas = components["schemas"];

export type Audience = "customer" | "affiliate" | "admin";

export interface Options {
  /** Where the API is: `http://localhost:3000`, `https://api.qutab.id`. */
  baseUrl: string;
  audience: Audience;
  /** Another fetch, for tests and for Node. */
  fetch?: typeof fetch;
  /** Called when the session is over and somebody has to log in again. */
  onLoggedOut?: () => void;
}

export interface Credentials {
  email: string;
  password: string;
  /** Staff with a second factor. */
  code?: string;
}

const AUTH: Readonly<Record<Audience, string>> = {
  customer: "/api/auth",
  affiliate: "/api/affiliate/auth",
  admin: "/api/admin/auth",
};

/** Most repeats of a request that was told to come again. */
const REPEATS = 2;
/** Longest wait for one, in seconds. */
const LONGEST_WAIT = 5;

/** Names a request so that repeating it has one effect: for `placeOrder` and `requestPayout`. */
export const idempotencyKey = (): string => crypto.randomUUID();

export interface Qutab {
  /** Every operation with its types: `api.GET("/api/orders/{id}", { params: { path: { id } } })`. */
  api: Client<paths>;
  login(credentials: Credentials): Promise<void>;
  /** Takes up the session of the cookie, after a reload; false where there is none. */
  resume(): Promise<boolean>;
  logout(): Promise<void>;
}

export function createQutab(options: Options): Qutab {
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const base = options.baseUrl.replace(/\/+$/, "");
  const auth = base + AUTH[options.audience];
  // In memory only: whatever reads the page's storage finds nothing.
  let token: string | undefined;
  let renewing: Promise<boolean> | undefined;

  /** One exchange of the cookie, however many requests ask for it. */
  function renew(): Promise<boolean> {
    renewing ??= (async () => {
      try {
        const answer = await send(`${auth}/refresh`, { method: "POST", credentials: "include" });
        if (!answer.ok) {
          // Out of reach is not logged out.
          if (answer.status === 401 || answer.status === 403) token = undefined;
          return false;
        }
        token = ((await answer.json()) as Schemas["Tokens"]).access_token;
        return true;
      } finally {
        renewing = undefined;
      }
    })();
    return renewing;
  }

  async function once(request: Request): Promise<{ answer: Response; with: string | undefined }> {
    const used = token;
    const copy = request.clone();
    if (used !== undefined) copy.headers.set("authorization", `Bearer ${used}`);
    return { answer: await send(copy), with: used };
  }

  async function authorized(request: Request): Promise<Response> {
    for (let repeat = 0; ; repeat++) {
      const { answer, with: used } = await once(request);
      if (answer.status === 401 && used !== undefined) {
        // Somebody else may have renewed it meanwhile.
        if (token !== used || (await renew())) return (await once(request)).answer;
        if (token === undefined) options.onLoggedOut?.();
        return answer;
      }
      const wait = Number.parseInt(answer.headers.get("retry-after") ?? "", 10);
      const safe = request.method === "GET" || request.headers.has("idempotency-key");
      if (answer.status !== 503 || !safe || repeat >= REPEATS || !(wait <= LONGEST_WAIT)) return answer;
      await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    }
  }

  const api = createClient<paths>({ baseUrl: base, fetch: authorized });

  return {
    api,
    async login(credentials) {
      const answer = await send(`${auth}/login`, {
        method: "POST",
        credentials: "include",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(credentials),
      });
      if (!answer.ok) throw problemOf(answer, await answer.json().catch(() => undefined));
      token = ((await answer.json()) as Schemas["Tokens"]).access_token;
    },
    resume: renew,
    async logout() {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      token = undefined;
      await send(`${auth}/logout`, { method: "POST", credentials: "include", headers });
    },
  };
}
