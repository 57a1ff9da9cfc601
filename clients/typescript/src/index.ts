// The API with its types, a session that renews itself, and problems as errors.
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";
import { createSession, lapsed, type Credentials } from "./session.js";

export { QutabProblem, unwrap, type Problem, type ProblemCode, type WrongField } from "./problem.js";
export type { components, paths } from "./schema.js";
export type { Credentials } from "./session.js";
/** The shapes by name: `Schemas["Order"]`. */
export type Schemas = components["schemas"];

export type Audience = "customer" | "affiliate" | "admin";

export interface Options {
  /** Where the API is: `http://localhost:3000`, `https://api.qutab.id`. */
  baseUrl: string;
  audience: Audience;
  /** Another fetch, for tests and for Node. */
  fetch?: typeof fetch;
  /** Called once when a request found the session over, and somebody has to log in again. */
  onLoggedOut?: () => void;
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
  /** Ends the session here and, unless it throws, on the server. */
  logout(): Promise<void>;
}

/** How many seconds to wait before the request may be sent again; nothing if it may not. */
function pause(request: Request, answer: Response): number | undefined {
  const safe = request.method === "GET" || request.headers.has("idempotency-key");
  if (answer.status !== 503 || !safe) return undefined;
  const wait = Number.parseInt(answer.headers.get("retry-after") ?? "", 10);
  return wait >= 0 && wait <= LONGEST_WAIT ? wait : undefined;
}

export function createQutab(options: Options): Qutab {
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const base = options.baseUrl.replace(/\/+$/, "");
  const session = createSession(send, base + AUTH[options.audience], () => options.onLoggedOut?.());

  async function once(request: Request, token: string | undefined): Promise<Response> {
    // An order takes the visitor's referral out of a cookie: left behind, the affiliate would lose the commission.
    const order = request.method === "POST" && new URL(request.url).pathname.endsWith("/api/orders");
    const copy = new Request(request.clone(), order ? { credentials: "include" } : {});
    if (token !== undefined) copy.headers.set("authorization", `Bearer ${token}`);
    return send(copy);
  }

  async function authorized(request: Request): Promise<Response> {
    let renewed = false;
    for (let repeats = 0; ; ) {
      const used = session.token();
      const answer = await once(request, used);
      if (!renewed && (await lapsed(answer)) && (await session.renewed(used))) {
        renewed = true;
        continue;
      }
      const wait = pause(request, answer);
      if (wait === undefined || repeats++ >= REPEATS) return answer;
      await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    }
  }

  const { login, resume, logout } = session;
  return { api: createClient<paths>({ baseUrl: base, fetch: authorized }), login, resume, logout };
}
