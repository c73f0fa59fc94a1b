import http from "k6/http";
import { sleep } from "k6";

export const options = { discardResponseBodies: true };

export default function () {
  http.get(`${__ENV.BASE}/`);
  sleep(1);
}
