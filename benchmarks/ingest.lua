-- Sends calls as Segment's libraries make them: path, write key, calls a request, name of the run.
local path, key, size, run, sent

function init(args)
  path, key, size, run, sent = args[1], args[2], tonumber(args[3]), args[4], 0
end

local function call()
  sent = sent + 1
  return string.format(
    '{"type":"track","event":"Product Viewed","messageId":"%s-%08x-4a7b-9c1d-%d",' ..
    '"userId":"user-%d","anonymousId":"5f0c2c1e-%d",' ..
    '"timestamp":"2026-03-02T08:00:00.123Z","properties":{"sku":"A-%d","price":19.5,"currency":"EUR"},' ..
    '"context":{"library":{"name":"analytics-python","version":"2.3.4"}}}',
    run, (sent * 2654435761) % 4294967296, sent, sent % 5000, sent % 5000, sent % 97)
end

function request()
  local body
  if size == 1 then
    body = call()
  else
    local calls = {}
    for place = 1, size do calls[place] = call() end
    body = '{"batch":[' .. table.concat(calls, ",") .. '],"sentAt":"2026-03-02T08:00:01.123Z"}'
  end
  return wrk.format("POST", path, {["Authorization"] = "Basic " .. key, ["Content-Type"] = "application/json"}, body)
end
