"""gunicorn settings of a process behind the edge, on a Unix socket: `gunicorn -c python:edge.gunicorn_behind`.

The command line gives what differs: `--bind unix:…` and the app. gunicorn believes X-Forwarded-Proto from a Unix
socket, and the edge is the only one who can write there (umask).
"""

worker_class = "gthread"
workers = 1
threads = 16
umask = 0o077
"""Else the socket is open to every user of the machine."""
keepalive = 0
timeout = 60
graceful_timeout = 10
limit_request_field_size = 16_380
"""Room for a client certificate of 12 KiB in one header."""
forwarded_allow_ips = ""
"""A Unix socket is believed whatever stands here; over TCP (the console of a demo) nobody may claim https."""
forwarder_headers = ""
"""By default SCRIPT_NAME and PATH_INFO may be sent as headers from a Unix socket; nobody here needs that."""
header_map = "drop"
control_socket_disable = True
"""By default gunicorn opens a control socket in the home directory, one name for all processes."""
accesslog = None
"""The edge writes one."""
proc_name = "vermilion"
