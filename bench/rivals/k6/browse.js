import http from "k6/http";
import { check } from "k6";

const terms = ["jazz", "ambient", "drum and bass", "piano", "live"];
const ids = ["00000001", "00000002", "00000003"];
const one = (list) => list[Math.floor(Math.random() * list.length)];

export const options = { discardResponseBodies: true };

export default function () {
  const dice = Math.random();
  if (dice < 0.6) {
    const url = `${__ENV.BASE}/api/v1/tracks/search?q=${encodeURIComponent(one(terms))}&limit=20`;
    const answer = http.get(url, { responseType: "text", tags: { name: "search" } });
    check(answer, { found: (r) => r.status === 200 && r.json("data").length > 0 });
  } else if (dice < 0.9) {
    check(http.get(`${__ENV.BASE}/api/v1/tracks?limit=20`), { listed: (r) => r.status === 200 });
  } else {
    const url = `${__ENV.BASE}/api/v1/tracks/${one(ids)}-8f3b-4c55-9a56-0b7f6f0f2a11`;
    check(http.get(url, { tags: { name: "detail" } }), { there: (r) => r.status === 200 });
  }
}
