// Without a server: problems, repeats and cookies.
import assert from "node:assert/strict";
import { test } from "node:test";
import { QutabProblem, idempotencyKey, unwrap } from "../src/index.js";
import { CREDENTIALS, empty, json, shop } from "./fake.js";

const order = {
  items: [{ product_id: "prd_1", quantity: 1, shohibul: [{ name: "Ahmad" }] }], recipient: { name: "Masjid", location: "Garut" }, terms_version: "2026-01", consent: true,
};

test("a problem is an error with its code and fields", async () => {
  const body = { type: "x", title: "Some fields are wrong", status: 422, code: "invalid_fields", request_id: "r1",
    errors: [{ field: "items[0].quantity", code: "bad_number", message: "must be a whole number" }] };
  const { qutab } = shop(() => json(422, body));
  await assert.rejects(async () => unwrap(await qutab.api.GET("/api/products")), (error: unknown) => {
    assert.ok(error instanceof QutabProblem);
    assert.deepEqual([error.status, error.code, error.requestId, error.retryAfter], [422, "invalid_fields", "r1", undefined]);
    assert.equal(error.fields.get("items[0].quantity"), "must be a whole number");
    assert.equal(error.errors[0]?.code, "bad_number");
    return true;
  });
});

test("the gateway's own words become a problem as well", async () => {
  const cases: [Response, string, number | undefined][] = [
    [json(429, { message: "Too Many Requests" }, { "retry-after": "7" }), "too_many_requests", 7],
    [json(404, { message: "Not Found" }), "not_found", undefined],
    [new Response("<html>", { status: 502 }), "internal", undefined],
    [new Response(null, { status: 503 }), "temporarily_unavailable", undefined],
    [new Response(null, { status: 400 }), "malformed", undefined],
  ];
  for (const [answer, code, wait] of cases) {
    const { qutab } = shop(() => answer.clone());
    const fits = (error: unknown) => error instanceof QutabProblem && error.code === code && error.retryAfter === wait;
    await assert.rejects(qutab.login(CREDENTIALS), fits);
    await assert.rejects(async () => unwrap(await qutab.api.GET("/api/products")), fits);
  }
});

test("an answer without a body is no problem", async () => {
  const { qutab } = shop(() => new Response(null, { status: 204 }));
  assert.equal(unwrap(await qutab.api.POST("/api/auth/verify-email", { body: { token: "t" } })), undefined);
});

test("reads are repeated when the API says so, and no more than twice", async () => {
  let left = 2;
  const { qutab, asked } = shop(() => (left-- > 0 ? json(503, {}, { "retry-after": "0" }) : json(200, empty)));
  assert.equal((await qutab.api.GET("/api/products")).response.status, 200);
  left = 9;
  assert.equal((await qutab.api.GET("/api/products")).response.status, 503);
  assert.equal(asked.length, 6);
});

test("an order is repeated with its key and its body, and without a key never", async () => {
  const seen: string[] = [];
  const { qutab } = shop(async (request) => {
    seen.push(`${request.headers.get("idempotency-key")} ${await request.text()}`);
    return seen.length === 1 ? json(503, {}, { "retry-after": "0" }) : json(201, {});
  });
  const key = idempotencyKey();
  const placed = await qutab.api.POST("/api/orders", { params: { header: { "Idempotency-Key": key } }, body: order });
  assert.equal(placed.response.status, 201);
  assert.deepEqual(seen, Array(2).fill(`${key} ${JSON.stringify(order)}`));

  const { qutab: other, asked } = shop(() => json(503, {}, { "retry-after": "0" }));
  assert.equal((await other.api.POST("/api/orders", { body: order })).response.status, 503);
  assert.equal(asked.length, 1);
});

test("nothing else is repeated: no other status, no 503 without a time or with a long one", async () => {
  for (const answer of [json(503, {}), json(503, {}, { "retry-after": "60" }), json(429, {}, { "retry-after": "0" }), json(500, {}, { "retry-after": "0" })]) {
    const { qutab, asked } = shop(() => answer.clone());
    await qutab.api.GET("/api/products");
    assert.equal(asked.length, 1);
  }
});

test("cookies go along only where one is needed: the session's, and an order for its referral", async () => {
  const sent: string[] = [];
  const { qutab } = shop((request) => {
    if (request.credentials === "include") sent.push(new URL(request.url).pathname);
    return json(200, { access_token: "t" });
  });
  await qutab.login(CREDENTIALS);
  await qutab.resume();
  await qutab.api.GET("/api/orders");
  await qutab.api.POST("/api/orders", { body: order });
  await qutab.api.POST("/api/coupons/validate", { body: { code: "X", items: [] } });
  await qutab.logout();
  assert.deepEqual(sent, ["/api/auth/login", "/api/auth/refresh", "/api/orders", "/api/auth/logout"]);
});
