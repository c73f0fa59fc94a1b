import http from "k6/http";
import { check } from "k6";

const auth = { Authorization: "Bearer bench-token" };
const refused = http.expectedStatuses(422);

export const options = { discardResponseBodies: true };

export default function () {
  const products = http.get(`${__ENV.BASE}/api/v1/marketplace/products`, { headers: auth, responseType: "text" });
  check(products, { listed: (r) => r.status === 200 });
  const order = JSON.stringify({ product_id: products.json("data.0.id"), quantity: 0 });
  const headers = { ...auth, "Content-Type": "application/json" };
  const answer = http.post(`${__ENV.BASE}/api/v1/marketplace/orders`, order, { headers, responseCallback: refused });
  check(answer, { refused: (r) => r.status === 422 });
}
