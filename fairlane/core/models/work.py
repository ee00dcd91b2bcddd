from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Work(models.Model):
    """What is still to be done for one object: its stage and when it is due.

    One row per object with open work, deleted when nothing is left to do; so the table holds the
    open objects only, and the objects' own tables need no index on a column that changes.
    Claiming a row moves ``due_at`` to the end of the lease: a holder that dies needs no clean-up.

    Attributes:
        attempts: claims since the last recorded outcome; only crashes and errors let it grow.
        claim_id: the claim that holds the row. An outcome is recorded only under its own claim.
        quarantined_at: set when the row was claimed too often without an outcome.
    """

    object_id = models.UUIDField(primary_key=True)
    stage = models.CharField(max_length=32)
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(db_default=0)
    claim_id = models.UUIDField(null=True)
    last_error = models.TextField(db_default="")
    quarantined_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "work"
        indexes: ClassVar = [
            models.Index(
                fields=["stage", "due_at"],
                name="work_due",
                condition=models.Q(quarantined_at__isnull=True),
            ),
            # Few rows ever get here, and they must be found among however many that did not.
            models.Index(
                fields=["stage", "due_at"],
                name="work_suspect",
                condition=models.Q(quarantined_at__isnull=True, attempts__gte=2),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {self.object_id}"


class Heartbeat(models.Model):
    """The last sign of life of a queue's workers, written by a task that went through the queue."""

    queue = models.CharField(max_length=32, primary_key=True)
    worker = models.CharField(max_length=128)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.queue}: {self.at}"


class StageTally(models.Model):
    """How many rows a stage was done with, and how many it raised an error for, ever."""

    stage = models.CharField(max_length=32, primary_key=True)
    done = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.stage}: {self.done} done, {self.failed} failed"


class Lease(models.Model):
    """Who does a thing that one process at a time should do.

    Attributes:
        epoch: grows with every new holder; a holder that was overtaken is known by its old one.
    """

    name = models.CharField(max_length=64, primary_key=True)
    holder = models.CharField(max_length=128)
    epoch = models.BigIntegerField(default=1)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"
