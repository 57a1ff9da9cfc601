// Without a server: sessions, problems and repeats against a fetch that is written down here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { QutabProblem, createQutab, unwrap } from "../src/index.js";

type Handler = (request: Request) => Response | Promise<Response>;

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

function shop(handler: Handler, onLoggedOut?: () => void) {
  const asked: string[] = [];
  const answer = async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    asked.push(`${request.method} ${new URL(request.url).pathname}`);
    return handler(request);
  };
  const qutab = createQutab({
    baseUrl: "http://shop.test/", audience: "customer", fetch: answer as typeof fetch, ...(onLoggedOut ? { onLoggedOut } : {}),
  });
  return { qutab, asked };
}

const CREDENTIALS = { email: "a@b.id", password: "x" };

test("many requests with an old token cause one refresh", async () => {
  let valid = "old";
  const { qutab, asked } = shop((request) => {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith("/login")) return json(200, { access_token: "old" });
    if (pathname.endsWith("/refresh")) return json(200, { access_token: (valid = "new") });
    return request.headers.get("authorization") === `Bearer ${valid}` ? json(200, { items: [], next_cursor: null }) : json(401, {});
  });
  await qutab.login(CREDENTIALS);
  valid = "none";
  const all = await Promise.all([1, 2, 3, 4].map(() => qutab.api.GET("/api/orders")));
  assert.ok(all.every((a) => a.response.status === 200));
  assert.equal(asked.filter((a) => a === "POST /api/auth/refresh").length, 1);
});

test("an ended session is told once and nothing is repeated", async () => {
  let told = 0;
  const { qutab, asked } = shop(
    (request) => (request.url.endsWith("/login") ? json(200, { access_token: "old" }) : json(401, { code: "not_logged_in" })),
    () => told++,
  );
  await qutab.login(CREDENTIALS);
  const answer = await qutab.api.GET("/api/profile");
  assert.equal(answer.response.status, 401);
  assert.deepEqual([told, asked], [1, ["POST /api/auth/login", "GET /api/profile", "POST /api/auth/refresh"]]);
});

test("a problem is an error with its code and fields", async () => {
  const body = { type: "x", title: "Some fields are wrong", status: 422, code: "invalid_fields", request_id: "r1",
    errors: [{ field: "items[0].quantity", code: "bad_number", message: "must be a whole number" }] };
  const { qutab } = shop(() => json(422, body));
  await assert.rejects(async () => unwrap(await qutab.api.GET("/api/products")), (error: unknown) => {
    assert.ok(error instanceof QutabProblem);
    assert.deepEqual([error.code, error.requestId, error.fields.get("items[0].quantity")], ["invalid_fields", "r1", "must be a whole number"]);
    return true;
  });
});

test("the gateway's own words become a problem as well", async () => {
  const { qutab } = shop(() => json(429, { message: "Too Many Requests" }));
  await assert.rejects(qutab.login(CREDENTIALS), (error: unknown) => error instanceof QutabProblem && error.code === "too_many_requests");
});

test("only what is safe to repeat is repeated", async () => {
  let left = 1;
  const { qutab, asked } = shop(() => (left-- > 0 ? json(503, {}, { "retry-after": "0" }) : json(200, { items: [], next_cursor: null })));
  assert.equal((await qutab.api.GET("/api/products")).response.status, 200);
  left = 1;
  assert.equal((await qutab.api.POST("/api/orders/{id}/cancel", { params: { path: { id: "ord_1" } } })).response.status, 503);
  assert.equal(asked.length, 3);
});
