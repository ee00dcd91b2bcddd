"""What every page of the back office shares."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.contrib import admin
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import Form, ModelForm
from django.http import HttpRequest
from unfold import decorators
from unfold.paginator import InfinitePaginator

from fairlane.core import audit
from fairlane.core.auth import principal_of_user
from fairlane.core.principals import Principal

if TYPE_CHECKING:

    class ModelAdmin(admin.ModelAdmin[Any]):
        """Unfold's, which carries no types."""

        def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]: ...

else:
    from unfold.admin import ModelAdmin

F = TypeVar("F", bound=Callable[..., Any])


def principal_of(request: HttpRequest) -> Principal:
    """The operator who sent this request."""
    return principal_of_user(cast(AbstractBaseUser, request.user))


def labelled(description: str, colours: Mapping[str, str]) -> Callable[[F], F]:
    """A column shown as a label; `colours` maps its values to Unfold's variants."""
    return cast(Callable[[F], F], decorators.display(description=description, label=dict(colours)))


def operation(description: str, *, icon: str = "", path: str | None = None) -> Callable[[F], F]:
    """An action for those who may operate, on one object or on the selected ones."""
    return cast(
        Callable[[F], F],
        decorators.action(
            description=description, permissions=["operate"], icon=icon or None, url_path=path
        ),
    )


def only(actions: Iterable[Any], names: Collection[str]) -> list[Any]:
    """Those of an admin's actions that are methods of these names."""
    return [action for action in actions if action.method.original_function_name in names]


class OperatedAdmin(ModelAdmin):
    """Rows that nobody edits: they are looked at, and changed by operations only.

    Who may change the model may operate on it.
    """

    actions: Any = None
    show_full_result_count = False
    list_disable_select_all = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request)


class EndlessAdmin(OperatedAdmin):
    """A table without bounds: its pages are turned, never counted."""

    paginator = InfinitePaginator
    list_per_page = 50
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER


class AuditedAdmin(ModelAdmin):
    """Rows that operators edit, each change with its audit entry in the same transaction."""

    # Values that must not be read in the audit trail; that they changed is told.
    secret_fields: Iterable[str] = ("password", "password1", "password2")

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self.record(request, obj, "add", after=_plain(obj))
        return super().log_addition(request, obj, message)

    def save_related(self, request: HttpRequest, form: Form, formsets: Any, change: bool) -> None:
        """Save many-to-many values too; only then is the whole change known."""
        super().save_related(request, form, formsets, change)
        if change and form.changed_data:
            before, after = self._changes(form)
            self.record(request, cast("ModelForm[Any]", form).instance, "change", before, after)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.record(request, obj, "delete", before=_plain(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete the selected rows, all or none."""
        with transaction.atomic():
            for obj in queryset:
                self.record(request, obj, "delete", before=_plain(obj))
            super().delete_queryset(request, queryset)

    def _changes(self, form: Form) -> tuple[dict[str, Any], dict[str, Any]]:
        before, after = {}, {}
        for name in form.changed_data:
            if name in self.secret_fields:
                after[name] = "changed"
            else:
                before[name] = _text(form.initial.get(name))
                after[name] = _text(form.cleaned_data.get(name))
        return before, after

    def record(
        self,
        request: HttpRequest,
        obj: Model,
        verb: str,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """Tell the audit trail; call it in the transaction of the change."""
        kind = obj._meta.model_name
        audit.record(
            actor=principal_of(request).actor,
            action=f"{kind}.{verb}",
            object=f"{kind}:{obj.pk}",
            before=before,
            after=after,
        )


def _plain(obj: Model) -> dict[str, Any]:
    return {"name": str(obj)}


def _text(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Iterable):
        return [str(item) for item in value]
    return str(value)
