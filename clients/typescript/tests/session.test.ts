// Without a server: how a session is renewed, and how it ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { QutabProblem, createQutab } from "../src/index.js";
import { CREDENTIALS, empty, forbidden, json, notLoggedIn, rotating, shop } from "./fake.js";

test("many requests with an old token cause one refresh", async () => {
  const { qutab, lapse, count } = rotating();
  await qutab.login(CREDENTIALS);
  lapse();
  const all = await Promise.all([1, 2, 3, 4].map(() => qutab.api.GET("/api/orders")));
  assert.ok(all.every((a) => a.response.status === 200));
  assert.deepEqual([count("POST /api/auth/refresh"), count("GET /api/orders")], [1, 8]);
});

test("staff whose token is too old are refused by the gateway, and renewed as well", async () => {
  const { qutab, lapse, asked } = rotating(forbidden, "admin");
  await qutab.login(CREDENTIALS);
  lapse();
  assert.equal((await qutab.api.GET("/api/admin/orders")).response.status, 200);
  assert.deepEqual(asked.slice(1), ["GET /api/admin/orders", "POST /api/admin/auth/refresh", "GET /api/admin/orders"]);
});

test("the first request after a reload takes up the session of the cookie", async () => {
  const { qutab, state } = rotating();
  assert.equal((await qutab.api.GET("/api/orders")).response.status, 200);
  assert.equal(state.loggedOut, 0);
});

test("a request is repeated once, even if the new token is refused too", async () => {
  const { qutab, asked, state } = shop((request) =>
    /\/(login|refresh)$/.test(request.url) ? json(200, { access_token: "t" }) : notLoggedIn());
  await qutab.login(CREDENTIALS);
  assert.equal((await qutab.api.GET("/api/profile")).response.status, 401);
  assert.deepEqual(asked.slice(1), ["GET /api/profile", "POST /api/auth/refresh", "GET /api/profile"]);
  assert.equal(state.loggedOut, 0);
});

test("an ended session is told once, however many requests find out, and none is sent without a token", async () => {
  const { qutab, asked, state } = shop((request) =>
    request.url.endsWith("/login") ? json(200, { access_token: "old" }) : notLoggedIn());
  await qutab.login(CREDENTIALS);
  const answers = await Promise.all([1, 2, 3].map(() => qutab.api.GET("/api/profile")));
  assert.ok(answers.every((a) => a.response.status === 401));
  await qutab.api.GET("/api/orders");
  assert.equal(state.loggedOut, 1);
  assert.deepEqual(asked.filter((a) => !a.startsWith("GET /api/profile")), ["POST /api/auth/login", "POST /api/auth/refresh", "GET /api/orders"]);
  assert.equal(asked.length, 6);
});

test("other refusals renew nothing", async () => {
  for (const [status, code] of [[401, "second_factor_wrong"], [401, "wrong_credentials"], [403, "not_allowed"]] as const) {
    const { qutab, asked } = shop(() => json(status, { code }));
    const answer = await qutab.api.POST("/api/admin/auth/totp/disable", { body: { current_password: "x", code: "1" } });
    assert.deepEqual([answer.response.status, asked.length], [status, 1]);
  }
});

test("a refresh that cannot be reached is an error and does not end the session", async () => {
  let reachable = false;
  const { qutab, state } = shop((request) => {
    if (request.url.endsWith("/login")) return json(200, { access_token: "old" });
    if (request.url.endsWith("/refresh")) return reachable ? json(200, { access_token: "new" }) : json(503, { message: "Service Unavailable" });
    return request.headers.get("authorization") === "Bearer new" ? json(200, empty) : notLoggedIn();
  });
  await qutab.login(CREDENTIALS);
  await assert.rejects(qutab.api.GET("/api/orders"), (e: unknown) => e instanceof QutabProblem && e.code === "temporarily_unavailable");
  reachable = true;
  assert.equal((await qutab.api.GET("/api/orders")).response.status, 200);
  assert.equal(state.loggedOut, 0);
});

test("a logout with an old token ends the session on the server too, and nothing takes it up again", async () => {
  const { qutab, lapse, asked, state } = rotating();
  await qutab.login(CREDENTIALS);
  lapse();
  await qutab.logout();
  assert.deepEqual(asked.slice(1), ["POST /api/auth/logout", "POST /api/auth/refresh", "POST /api/auth/logout"]);
  assert.equal((await qutab.api.GET("/api/orders")).response.status, 401);
  assert.deepEqual([asked.length, state.loggedOut], [5, 0]);
});

test("a logout that did not arrive throws, is one here, and can be repeated", async () => {
  let reachable = false;
  const { qutab, asked } = shop((request) => {
    if (/\/(login|refresh)$/.test(request.url)) return json(200, { access_token: "t" });
    if (!request.headers.has("authorization")) return notLoggedIn();
    return reachable ? new Response(null, { status: 204 }) : json(500, { code: "internal" });
  });
  await qutab.login(CREDENTIALS);
  await assert.rejects(qutab.logout(), QutabProblem);
  assert.equal((await qutab.api.GET("/api/orders")).response.status, 401);
  reachable = true;
  await qutab.logout();
  assert.deepEqual(asked.slice(-2), ["POST /api/auth/refresh", "POST /api/auth/logout"]);
});

test("a login during a refresh waits for it, and its token stays", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const used: (string | null)[] = [];
  const { qutab } = shop(async (request) => {
    if (request.url.endsWith("/login")) return json(200, { access_token: "of the login" });
    if (!request.url.endsWith("/refresh")) return used.push(request.headers.get("authorization")), json(200, empty);
    await held;
    return json(200, { access_token: "of the refresh" });
  });
  const both = [qutab.resume(), qutab.login(CREDENTIALS)];
  release();
  await Promise.all(both);
  await qutab.api.GET("/api/orders");
  assert.deepEqual(used, ["Bearer of the login"]);
});

test("tabs refresh one after the other, for they share the cookie", async () => {
  let [under, most, last] = [0, 0, Promise.resolve() as Promise<unknown>];
  // As the browser's: one lock for a name, over all tabs.
  const request = (_: string, act: () => Promise<unknown>) => (last = last.then(act));
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { locks: { request } } });
  try {
    const slow: typeof fetch = async () => {
      most = Math.max(most, ++under);
      await new Promise((resolve) => setTimeout(resolve, 5));
      under--;
      return json(200, { access_token: "t" });
    };
    const tab = () => createQutab({ baseUrl: "http://shop.test", audience: "customer", fetch: slow });
    assert.deepEqual(await Promise.all([tab().resume(), tab().resume()]), [true, true]);
    assert.equal(most, 1);
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else Reflect.deleteProperty(globalThis, "navigator");
  }
});
