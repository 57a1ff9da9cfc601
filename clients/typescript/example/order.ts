// A customer's order from the product to the payment page: npm run example
import { QutabProblem, createQutab, idempotencyKey, unwrap } from "../src/index.js";

const { api, login } = createQutab({ baseUrl: process.env["QUTAB_API"] ?? "http://localhost:3000", audience: "customer" });

try {
  await login({ email: "pembeli@qutab.test", password: "kurban-lokal-2026" });
  const { items } = unwrap(await api.GET("/api/products", { params: { query: { q: "kambing", sort: "price" } } }));
  const product = items[0];
  if (!product) throw new Error("nothing is on sale");
  const wanted = [{ product_id: product.id, quantity: 1 }];
  const price = unwrap(await api.POST("/api/coupons/validate", { body: { code: "BERKAH10", items: wanted } }));
  console.log(`${product.name}: Rp${price.subtotal}, with ${price.code} Rp${price.total}`);
  const order = unwrap(
    await api.POST("/api/orders", {
      params: { header: { "Idempotency-Key": idempotencyKey() } },
      body: {
        items: [{ ...wanted[0]!, shohibul: [{ name: "Ahmad", father: "Umar" }] }],
        recipient: { name: "Masjid Al Hikmah", location: product.location },
        coupon: price.valid ? price.code : null, terms_version: "2026-01", consent: true,
      },
    }),
  );
  console.log(`order ${order.number} over Rp${order.total}: pay at ${order.payment_url}`);
  const { steps } = unwrap(await api.GET("/api/orders/{id}/tracking", { params: { path: { id: order.id } } }));
  console.log(steps.map((s) => `${s.at} ${s.status}`).join("\n"));
} catch (error) {
  if (!(error instanceof QutabProblem)) throw error;
  console.error(error.code, error.message, Object.fromEntries(error.fields));
  process.exitCode = 1;
}
