"""What the apps tell the back office of the kernel about themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Topics:
    """
    Attributes:
        switches: the names of the switches somebody asks, with what each pauses.
        pages: the URL name of the page of an object, by the kind its events have.
        stages: the kind of a stage's objects, by the stage's name or by its prefix.
    """

    switches: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)

    def link(self, kind: str, object_id: UUID) -> SafeString:
        """The object's id, leading to its page where it has one."""
        page = self.pages.get(kind)
        if page is None:
            return format_html("{}", object_id)
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            reverse(page, args=[object_id]),
            object_id,
        )

    def stage_link(self, stage: str, object_id: UUID) -> SafeString:
        """The same for an object that is known by its stage."""
        prefix = stage.partition(".")[0]
        return self.link(self.stages.get(stage) or self.stages.get(prefix, ""), object_id)


topics = Topics()
