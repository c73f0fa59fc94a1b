-- The URLs are fixed: wrk does not look at the answers.
local hls = "/api/v1/tracks/6f9d2c1e-8f3b-4c55-9a56-0b7f6f0f2a11/hls/"
local steps, at = {}, 0

function init()
  steps[1] = wrk.format("GET", hls .. "master.m3u8")
  steps[2] = wrk.format("GET", hls .. "256k/index.m3u8")
  for n = 0, 3 do
    steps[#steps + 1] = wrk.format("GET", hls .. "256k/segment-" .. n .. ".ts")
  end
end

function request()
  at = at % #steps + 1
  return steps[at]
end
