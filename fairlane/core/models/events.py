from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Event(models.Model):
    """Something that happened to an object: the outbox that every feed is a projection of.

    ``seq`` counts from 1 without holes per object. ``position`` counts from 1 without holes over
    all events; the relay gives it in commit order, so an event without one is not published yet.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16)
    object_id = models.UUIDField()
    seq = models.PositiveIntegerField()
    status = models.CharField(max_length=20)
    wallet = models.CharField(max_length=64)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    position = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["object_id", "seq"], name="event_seq_unique"),
            # Without the unpublished, for which an entry would be written and removed again.
            models.UniqueConstraint(
                fields=["position"],
                condition=models.Q(position__isnull=False),
                name="event_position_unique",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["id"],
                name="event_unpublished",
                condition=models.Q(position__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} #{self.seq} {self.status}"


class RelayCursor(models.Model):
    """The last position given: a single row whose lock makes positions dense."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    position = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="relay_cursor_single_row"),
        ]

    def __str__(self) -> str:
        return f"position {self.position}"
