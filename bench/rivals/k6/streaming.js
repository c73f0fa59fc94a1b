import http from "k6/http";
import { check } from "k6";

const hls = `${__ENV.BASE}/api/v1/tracks/6f9d2c1e-8f3b-4c55-9a56-0b7f6f0f2a11/hls/`;
const uris = (playlist) => playlist.split("\n").filter((line) => line && !line.startsWith("#"));
const text = { responseType: "text" };

export const options = { discardResponseBodies: true };

export default function () {
  const master = http.get(`${hls}master.m3u8`, text);
  check(master, { master: (r) => r.status === 200 });
  const variant = uris(master.body).find((uri) => uri.startsWith("256k/"));
  const media = http.get(hls + variant, text);
  check(media, { media: (r) => r.status === 200 });
  for (const segment of uris(media.body).slice(0, 4)) {
    check(http.get(`${hls}256k/${segment}`), { segment: (r) => r.status === 200 });
  }
}
