"""gunicorn settings of status: `gunicorn -c python:ocsp.gunicorn_settings`. The command line gives `--bind`."""

worker_class = "ocsp.worker.StatusWorker"
timeout = 30
"""A worker whose event loop stood still for so long is replaced."""
graceful_timeout = 5
control_socket_disable = True
"""By default gunicorn opens a control socket in the home directory, one name for all processes."""
accesslog = None
proc_name = "vermilion-status"
