-- The path on the command line, again and again.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")
