import http from "k6/http";
import { check } from "k6";

const chunk = new Uint8Array(1048576).fill(120).buffer;
const begin = JSON.stringify({ filename: "bench.flac", size: 10485760 });
const json = { headers: { "Content-Type": "application/json" }, responseType: "text" };

export const options = { discardResponseBodies: true };

export default function () {
  const begun = http.post(`${__ENV.BASE}/api/v1/tracks/upload/initiate`, begin, json);
  check(begun, { begun: (r) => r.status === 201 });
  const headers = { "Content-Type": "application/octet-stream", "X-Upload-Id": begun.json("upload_id") };
  for (let n = 0; n < 10; n++) {
    const sent = http.post(`${__ENV.BASE}/api/v1/tracks/upload/chunk`, chunk, { headers });
    check(sent, { received: (r) => r.status === 200 });
  }
}
