"""People and what they may do."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from fairlane.core.admin.base import AuditedAdmin

for model in (User, Group):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(auth_admin.UserAdmin, AuditedAdmin):  # type: ignore[type-arg]
    """Staff and superusers; only superusers hand out rights."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = (*super().get_readonly_fields(request, obj), "last_login", "date_joined")
        if request.user.is_superuser:
            return fields
        return (*fields, "is_staff", "is_superuser", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody but a superuser changes a superuser, or its password would be everybody's."""
        guarded = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not guarded and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        guarded = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not guarded and super().has_delete_permission(request, obj)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Set a password; that it was set is told to the audit trail."""
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            user = self.get_object(request, id)
            if response.status_code == 302 and user is not None:
                self.record(request, user, "change", after={"password": "changed"})
        return response


@admin.register(Group)
class GroupAdmin(auth_admin.GroupAdmin, AuditedAdmin):
    """Sets of permissions."""

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        return () if request.user.is_superuser else ("permissions",)
