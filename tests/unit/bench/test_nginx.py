"""A shipped nginx configuration, moved to ports and a directory of the bench."""

from pathlib import Path

from bench.nginx import relocated

SHIPPED = """
proxy_cache_path /var/cache/nginx/vermilion keys_zone=ocsp:10m;
server {
  listen 80;
  listen [::]:80;
  location /ocsp { proxy_cache ocsp; proxy_pass http://127.0.0.1:8080; }
}
"""


def moved(shipped: str) -> str:
    return relocated(shipped, directory=Path("/bench"), port=1234, upstream=5678)


def test_the_file_that_is_shipped_is_moved_whole() -> None:
    shipped = (Path(__file__).parents[3] / "deploy" / "nginx.conf").read_text("utf-8")

    lines = [line.strip() for line in moved(shipped).splitlines() if not line.strip().startswith("#")]

    assert [line for line in lines if line.startswith("listen ")] == ["listen 127.0.0.1:1234;"]
    assert "server 127.0.0.1:5678;" in " ".join(lines)
    assert [line for line in lines if "/var/" in line or "/run/" in line] == []


def test_it_listens_on_loopback_only() -> None:
    assert [line.strip() for line in moved(SHIPPED).splitlines() if "listen" in line] == ["listen 127.0.0.1:1234;"]


def test_it_asks_the_status_process_of_the_bench() -> None:
    assert "proxy_pass http://127.0.0.1:5678;" in moved(SHIPPED)


def test_its_cache_is_in_the_directory_of_the_bench() -> None:
    assert "proxy_cache_path /bench/vermilion keys_zone" in moved(SHIPPED)


def test_a_part_of_a_configuration_becomes_a_whole_one() -> None:
    assert "events {" in moved(SHIPPED)


def test_a_whole_configuration_keeps_its_own_frame() -> None:
    whole = moved(f"user www-data;\nworker_processes auto;\nevents {{}}\nhttp {{\n{SHIPPED}\n}}\n")

    assert whole.count("events {") == 1
    assert "www-data" not in whole
    assert whole.count("worker_processes") == 1
