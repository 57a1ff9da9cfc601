// Against the local system (`cargo run`), at QUTAB_API.
import assert from "node:assert/strict";
import { test } from "node:test";
import { QutabProblem, createQutab, idempotencyKey, unwrap, type Audience } from "../src/index.js";
import { withCookies } from "./jar.js";

const baseUrl = process.env["QUTAB_API"] ?? "http://localhost:3000";
const password = "kurban-lokal-2026";
const as = (audience: Audience) => createQutab({ baseUrl, audience, fetch: withCookies() });

test("a customer orders and a repeated request is the same order", async () => {
  const shop = as("customer");
  await shop.login({ email: "pembeli@qutab.test", password });
  const { items } = unwrap(await shop.api.GET("/api/products", { params: { query: { category: "domba" } } }));
  const product = items[0];
  assert.ok(product);
  const key = idempotencyKey();
  const place = async () =>
    unwrap(
      await shop.api.POST("/api/orders", {
        params: { header: { "Idempotency-Key": key } },
        body: {
          items: [{ product_id: product.id, quantity: 1, shohibul: [{ name: "Ahmad", father: "Umar" }] }],
          recipient: { name: "Masjid Al Hikmah", location: "Garut" }, terms_version: "2026-01", consent: true,
        },
      }),
    );
  const [one, two] = [await place(), await place()];
  assert.equal(one.id, two.id);
  assert.match(one.payment_url ?? "", /^http/);
  const tracking = unwrap(await shop.api.GET("/api/orders/{id}/tracking", { params: { path: { id: one.id } } }));
  assert.equal(tracking.status, "pending");
});

test("a session goes on by its cookie and ends with the logout", async () => {
  const shop = as("affiliate");
  assert.equal(await shop.resume(), false);
  await shop.login({ email: "promotor@qutab.test", password });
  assert.equal(await shop.resume(), true);
  const balance = unwrap(await shop.api.GET("/api/affiliate/balance"));
  assert.ok(Number.isInteger(balance.available));
  await shop.logout();
  assert.equal(await shop.resume(), false);
});

test("wrong fields are named, and staff are refused by the gateway", async () => {
  const shop = as("customer");
  const body = { name: "A", email: "nobody", phone: "1", password: "short" };
  const refused = (check: (p: QutabProblem) => boolean) => (error: unknown) => error instanceof QutabProblem && check(error);
  await assert.rejects(async () => unwrap(await shop.api.POST("/api/auth/register", { body })), refused((p) => p.fields.size >= 3));
  await assert.rejects(async () => unwrap(await shop.api.GET("/api/admin/orders")), refused((p) => p.code === "not_logged_in"));
});
