"""The image and the Compose file have everything that this deployment's settings name."""

import re
from pathlib import Path

from django.conf import settings

DOCKER = Path(settings.BASE_DIR) / "docker"


def test_the_image_holds_every_app() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE))
    ours = {name.split(".")[0] for name in settings.INSTALLED_APPS}
    assert {name for name in ours if (Path(settings.BASE_DIR) / name).is_dir()} <= copied


def test_every_queue_has_a_worker() -> None:
    served = re.findall(r"worker -Q (\w+)", (DOCKER / "compose.yml").read_text())
    assert sorted(served) == sorted(settings.CELERY_TASK_QUEUES)
