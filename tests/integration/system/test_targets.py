"""A publication target that is away holds up nobody, is named, and holds everything once it is back."""

from collections.abc import Callable

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.fakes.ports import free_port
from tests.integration.system.running import Demo, wait_for

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.campaign]


def test_a_target_follows_as_soon_as_it_can(copy_of_demo: Callable[[], Demo]) -> None:
    demo, port = copy_of_demo(), free_port()
    credentials = demo.state / "s3-credentials"
    credentials.write_text("access_key_id = t\nsecret_access_key = t\n")
    credentials.chmod(0o600)
    with (demo.state / "settings.toml").open("a") as settings:
        settings.write(
            f'\n[[publication.targets]]\nname = "cloud"\nkind = "s3"\nendpoint_url = "http://127.0.0.1:{port}"\n'
            f'bucket = "pki"\ncredentials_file = "{credentials}"\n'
        )
    demo.start()
    wait_for("the target is named", lambda: "cloud is behind since" in demo.pki("doctor").out)
    # Nothing waited for it.
    public = demo.state / "publication" / "crl" / "issuing.crl"
    assert public.exists()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="t",
        aws_secret_access_key="t",
    )
    client.create_bucket(Bucket="pki")

    def there() -> dict[str, bytes]:
        listed = client.list_objects_v2(Bucket="pki").get("Contents", [])
        return {one["Key"]: client.get_object(Bucket="pki", Key=one["Key"])["Body"].read() for one in listed}

    def here() -> dict[str, bytes]:
        # Without the tool: customers fetch it from the bank's own origin, and only there.
        root = demo.state / "publication"
        files = (path for kind in ("ca", "crl", "bundle") for path in (root / kind).rglob("*.*") if path.is_file())
        return {str(path.relative_to(root)): path.read_bytes() for path in files if not path.name.startswith(".")}

    wait_for("all is there", lambda: there() == here())
    assert {"ca/root.cer", "ca/issuing.cer", "crl/issuing.crl", "bundle/issuing.bundle"} <= here().keys()
    wait_for("doctor is content", lambda: "ok   targets: hold everything" in demo.pki("doctor").out)
    names = [
        row[0] for row in demo.rows("SELECT name FROM audit_events WHERE name LIKE 'publication.%' ORDER BY number")
    ]
    assert names[0] == "publication.failed"
    assert names.count("publication.failed") == names.count("publication.recovered") == 1
    demo.stop()
    client.close()
    server.stop()
    server._server.server_close()
