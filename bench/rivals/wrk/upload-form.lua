-- As upload.lua, with the multipart body made beforehand.
local steps, at = {}, 0

function init()
  local json = {["Content-Type"] = "application/json"}
  local form = {["Content-Type"] = "multipart/form-data; boundary=bench"}
  local begin = '{"filename": "bench.flac", "size": 10485760}'
  local body = '--bench\r\nContent-Disposition: form-data; name="upload_id"\r\n\r\n'
    .. '6f9d2c1e-8f3b-4c55-9a56-0b7f6f0f2a11\r\n'
    .. '--bench\r\nContent-Disposition: form-data; name="chunk"; filename="chunk.bin"\r\n'
    .. 'Content-Type: application/octet-stream\r\n\r\n' .. string.rep("x", 1048576) .. '\r\n--bench--\r\n'
  steps[1] = wrk.format("POST", "/api/v1/tracks/upload/initiate", json, begin)
  local chunk = wrk.format("POST", "/api/v1/tracks/upload/chunk", form, body)
  for n = 2, 11 do steps[n] = chunk end
end

function request()
  at = at % #steps + 1
  return steps[at]
end
