-- One request in DER that ends in a nonce of 32 octets, posted with another nonce each time: 16 octets are drawn once
-- for each thread, 16 digits count.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")
local head, body_head, count

function setup(thread)
  local random = io.open("/dev/urandom", "rb")
  local digits = random:read(16):gsub(".", function(octet) return string.format("%02x", octet:byte()) end)
  thread:set("drawn", digits)
  random:close()
end

function init(args)
  local file = io.open(os.getenv("BENCH_REQUESTS"), "rb")
  local request = file:read("*a")
  file:close()
  local octets = drawn:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end)
  body_head = request:sub(1, #request - 32) .. octets
  wrk.headers["Content-Type"] = "application/ocsp-request"
  local post = wrk.format("POST", nil, nil, request)
  head = post:sub(1, #post - #request)
  count = 0
end

function request()
  count = count + 1
  return head .. body_head .. string.format("%016d", count)
end
