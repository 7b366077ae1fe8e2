-- Requests in DER from a file, each behind its length in two octets, posted in random order.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")
local threads = 0
local posts = {}

function setup(thread)
  threads = threads + 1
  thread:set("seed", threads)
end

function init(args)
  math.randomseed(seed)
  local file = io.open(os.getenv("BENCH_REQUESTS"), "rb")
  local all = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "application/ocsp-request"
  local at = 1
  while at < #all do
    local length = all:byte(at) * 256 + all:byte(at + 1)
    posts[#posts + 1] = wrk.format("POST", nil, nil, all:sub(at + 2, at + 1 + length))
    at = at + 2 + length
  end
end

function request()
  return posts[math.random(#posts)]
end
