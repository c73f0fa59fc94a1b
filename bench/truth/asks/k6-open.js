import http from "k6/http";

export const options = {
  scenarios: {
    truth: {
      executor: "constant-arrival-rate",
      rate: @RATE@,
      timeUnit: "1s",
      duration: "@SECONDS@s",
      preAllocatedVUs: @VUS@,
      maxVUs: @VUS@,
      gracefulStop: "5s",
    },
  },
};

export default function () {
  http.get("@BASE@/");
}
