-- One initiate to ten chunks. wrk copies the body into each request's buffer.
local steps, at = {}, 0

function init()
  local json = {["Content-Type"] = "application/json"}
  local raw = {["Content-Type"] = "application/octet-stream", ["X-Upload-Id"] = "6f9d2c1e-8f3b-4c55-9a56-0b7f6f0f2a11"}
  local begin = '{"filename": "bench.flac", "size": 10485760}'
  steps[1] = wrk.format("POST", "/api/v1/tracks/upload/initiate", json, begin)
  local chunk = wrk.format("POST", "/api/v1/tracks/upload/chunk", raw, string.rep("x", 1048576))
  for n = 2, 11 do steps[n] = chunk end
end

function request()
  at = at % #steps + 1
  return steps[at]
end
