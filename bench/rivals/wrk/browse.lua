-- The mix as a shuffled deck of a hundred ready requests. wrk does not look at the answers.
local terms = {"jazz", "ambient", "drum%20and%20bass", "piano", "live"}
local ids = {"00000001", "00000002", "00000003"}
local deck, at = {}, 0

function init()
  math.randomseed(1)
  for n = 1, 100 do
    local path
    if n <= 60 then
      path = "/api/v1/tracks/search?q=" .. terms[n % #terms + 1] .. "&limit=20"
    elseif n <= 90 then
      path = "/api/v1/tracks?limit=20"
    else
      path = "/api/v1/tracks/" .. ids[n % #ids + 1] .. "-8f3b-4c55-9a56-0b7f6f0f2a11"
    end
    deck[n] = wrk.format("GET", path)
  end
  for n = #deck, 2, -1 do
    local other = math.random(n)
    deck[n], deck[other] = deck[other], deck[n]
  end
end

function request()
  at = at % #deck + 1
  return deck[at]
end
