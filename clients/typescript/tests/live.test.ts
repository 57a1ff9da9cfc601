// Against the local system (`cargo run`), at QUTAB_API.
import assert from "node:assert/strict";
import { test } from "node:test";
import { QutabProblem, createQutab, idempotencyKey, unwrap, type Audience, type Qutab, type Schemas } from "../src/index.js";
import { withCookies, withOldToken } from "./jar.js";

const baseUrl = process.env["QUTAB_API"] ?? "http://localhost:3000";
const password = "kurban-lokal-2026";
const as = (audience: Audience, fetch = withCookies()) => createQutab({ baseUrl, audience, fetch });
const refused = (check: (p: QutabProblem) => boolean) => (error: unknown) => error instanceof QutabProblem && check(error);

async function wanted(shop: Qutab): Promise<Schemas["OrderWanted"]> {
  const { items } = unwrap(await shop.api.GET("/api/products", { params: { query: { category: "domba" } } }));
  const product = items[0];
  assert.ok(product);
  return {
    items: [{ product_id: product.id, quantity: 1, shohibul: [{ name: "Ahmad", father: "Umar" }] }],
    recipient: { name: "Masjid Al Hikmah", location: "Garut" }, terms_version: "2026-01", consent: true,
  };
}

test("a customer orders and a repeated request is the same order", async () => {
  const shop = as("customer");
  await shop.login({ email: "pembeli@qutab.test", password });
  const body = await wanted(shop);
  const params = { header: { "Idempotency-Key": idempotencyKey() } };
  const place = async () => unwrap(await shop.api.POST("/api/orders", { params, body }));
  const [one, two] = [await place(), await place()];
  assert.equal(one.id, two.id);
  assert.match(one.payment_url ?? "", /^http/);
  const tracking = unwrap(await shop.api.GET("/api/orders/{id}/tracking", { params: { path: { id: one.id } } }));
  assert.equal(tracking.status, "pending");
  const other = { ...body, note: "another" };
  await assert.rejects(async () => unwrap(await shop.api.POST("/api/orders", { params, body: other })), refused((p) => p.code === "idempotency_mismatch"));
});

test("an order after a click is the affiliate's", async () => {
  const browser = withCookies();
  await browser(`${baseUrl}/r/PROMOTOR1`, { redirect: "manual", credentials: "include" });
  const shop = as("customer", browser);
  await shop.login({ email: "pembeli@qutab.test", password });
  const { id } = unwrap(await shop.api.POST("/api/orders", { body: await wanted(shop) }));
  const staff = as("admin");
  await staff.login({ email: "ops@qutab.test", password });
  const order = unwrap(await staff.api.GET("/api/admin/orders/{id}", { params: { path: { id } } }));
  assert.match(order.affiliate_id ?? "", /^aff_/);
});

test("a session goes on by its cookie and ends with the logout", async () => {
  const shop = as("affiliate");
  assert.equal(await shop.resume(), false);
  await shop.login({ email: "promotor@qutab.test", password });
  assert.equal(await shop.resume(), true);
  const balance = unwrap(await shop.api.GET("/api/affiliate/balance"));
  assert.ok(Number.isInteger(balance.available));
  const picture = unwrap(await shop.api.GET("/api/affiliate/referral-link/qr", { parseAs: "text" }));
  assert.match(picture, /<svg/);
  await shop.logout();
  assert.equal(await shop.resume(), false);
});

for (const [audience, email, ask] of [
  ["customer", "pembeli@qutab.test", (q: Qutab) => q.api.GET("/api/orders")],
  ["affiliate", "promotor@qutab.test", (q: Qutab) => q.api.GET("/api/affiliate/balance")],
  ["admin", "ops@qutab.test", (q: Qutab) => q.api.GET("/api/admin/orders")],
] as const) {
  test(`an old token is renewed, and a logout with one ends the session: ${audience}`, async () => {
    const { fetch, spoil } = withOldToken(withCookies());
    const shop = as(audience, fetch);
    await shop.login({ email, password });
    spoil();
    assert.equal((await ask(shop)).response.status, 200);
    spoil();
    await shop.logout();
    // Not only forgotten here: the cookie is gone as well.
    assert.equal(await shop.resume(), false);
    assert.ok([401, 403].includes((await ask(shop)).response.status));
  });
}

test("tokens that run out under many requests at once cause one refresh and no loss", async () => {
  let refreshes = 0;
  const browser = withCookies();
  const shop = as("customer", (input, init) => {
    const request = new Request(input, init);
    if (request.url.endsWith("/refresh")) refreshes++;
    // Not told by the token: one of the same second is the same.
    else if (refreshes === 0 && request.headers.has("authorization")) request.headers.set("authorization", "Bearer old");
    return browser(request);
  });
  await shop.login({ email: "pembeli@qutab.test", password });
  const all = await Promise.all(Array.from({ length: 8 }, () => shop.api.GET("/api/profile")));
  assert.deepEqual([all.map((a) => a.response.status), refreshes], [Array(8).fill(200), 1]);
});

test("wrong fields are named, and what is not there is a problem", async () => {
  const shop = as("customer");
  const body = { name: "A", email: "nobody", phone: "1", password: "short" };
  await assert.rejects(async () => unwrap(await shop.api.POST("/api/auth/register", { body })), refused((p) => p.fields.size >= 3));
  await assert.rejects(shop.login({ email: "pembeli@qutab.test", password: "wrong" }), refused((p) => p.code === "wrong_credentials"));
  const params = { path: { id: "no-such-product" } };
  await assert.rejects(async () => unwrap(await shop.api.GET("/api/products/{id}", { params })), refused((p) => p.code === "not_found"));
});

test("staff are refused by the gateway", async () => {
  const shop = as("customer");
  await assert.rejects(async () => unwrap(await shop.api.GET("/api/admin/orders")), refused((p) => p.code === "not_logged_in"));
});
