// A shop without a server: what it answers is written down in the test.
import { createQutab, type Audience } from "../src/index.js";

export type Handler = (request: Request) => Response | Promise<Response>;

export const CREDENTIALS = { email: "a@b.id", password: "x" };

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

export const empty = { items: [], next_cursor: null };

/** What the API itself says of a request without a good token, and what the gateway says of staff. */
export const notLoggedIn = () => json(401, { code: "not_logged_in" });
export const forbidden = () => json(403, { message: "Forbidden" });

export function shop(handler: Handler, audience: Audience = "customer") {
  const asked: string[] = [];
  const state = { loggedOut: 0 };
  const answer: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    asked.push(`${request.method} ${new URL(request.url).pathname}`);
    return handler(request);
  };
  const qutab = createQutab({ baseUrl: "http://shop.test/", audience, fetch: answer, onLoggedOut: () => state.loggedOut++ });
  return { qutab, asked, state };
}

/** A shop that hands out `token-1`, `token-2`, ... and takes only the last one, until `lapse`. */
export function rotating(refused: () => Response = notLoggedIn, audience: Audience = "customer") {
  let number = 0;
  let valid: string | undefined;
  const made = shop((request) => {
    const { pathname } = new URL(request.url);
    if (/\/(login|refresh)$/.test(pathname)) return json(200, { access_token: (valid = `token-${++number}`) });
    if (request.headers.get("authorization") !== `Bearer ${valid}`) return refused();
    return pathname.endsWith("/logout") ? new Response(null, { status: 204 }) : json(200, empty);
  }, audience);
  return { ...made, lapse: () => (valid = undefined), count: (what: string) => made.asked.filter((a) => a === what).length };
}
