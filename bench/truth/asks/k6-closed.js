import http from "k6/http";
import { sleep } from "k6";

export const options = {
  scenarios: {
    truth: { executor: "constant-vus", vus: @VUS@, duration: "@SECONDS@s", gracefulStop: "5s" },
  },
};

export default function () {
  http.get("@BASE@/");
  sleep(@THINK@ / 1000);
}
