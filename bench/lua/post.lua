-- One request in DER, posted again and again.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")
local file = io.open(os.getenv("BENCH_REQUESTS"), "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/ocsp-request"
file:close()
