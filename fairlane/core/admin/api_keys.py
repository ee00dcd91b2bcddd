"""API keys: issued, rotated and revoked; a key's text is on one page once, and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
)

from fairlane.core import keys
from fairlane.core.admin.base import labelled, operation, principal_of
from fairlane.core.admin.deeds import CONFIRMED, Deed, DeedAdmin
from fairlane.core.errors import Problem
from fairlane.core.models import ApiKey
from fairlane.core.principals import SCOPES, Principal

# As wide as the column of one address.
_ADDRESS_LENGTH = 64


class NewKeyForm(ModelForm):  # type: ignore[type-arg]
    """What a new key may do."""

    scopes = forms.MultipleChoiceField(
        choices=[(name, name) for name in SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="; ".join(f"{name}: {meaning}" for name, meaning in SCOPES.items()),
    )
    wallets = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 4}),
        help_text="Addresses the key may act for, one a line; * stands for all.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "wallets", "expires_at", "throttle_exempt")

    def clean_wallets(self) -> list[str]:
        wallets: list[str] = self.cleaned_data["wallets"].split()
        if any(len(wallet) > _ADDRESS_LENGTH for wallet in wallets):
            raise forms.ValidationError(f"An address has {_ADDRESS_LENGTH} characters at most.")
        return wallets

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("This moment has passed.")
        return expires_at


class RotationForm(forms.Form):
    """How long both keys work."""

    overlap_hours = forms.IntegerField(
        min_value=0,
        max_value=24 * 90,
        initial=24,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Hours for which the old key goes on working.",
    )


def _revoke(key_id: str, by: Principal, reason: str) -> str:
    keys.revoke(key_id=int(key_id), by=by.actor, reason=reason)
    return f"Key {key_id} is revoked."


REVOKE = Deed("Revoke", "Calls with this key are refused from now on.", _revoke, grave=True)


@admin.register(ApiKey)
class ApiKeyAdmin(DeedAdmin):
    """The callers' keys; what a key may do is fixed when it is issued."""

    list_display = ("name", "prefix", "state", "scopes", "expires_at", "last_used_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "throttle_exempt")
    search_fields = ("name", "prefix")
    list_per_page = 50
    actions = ("revoke_selected",)
    actions_detail = ("rotate", "revoke")
    fields = (
        "name",
        "prefix",
        "state",
        "scopes",
        "wallets",
        "throttle_exempt",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "successor",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.add_apikey")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form of a new key; it leads to the page that shows the key, and nowhere else."""
        one_way = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, {**(extra_context or {}), **one_way})

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        if obj is None:
            options["form"] = NewKeyForm
        return super().get_form(request, obj, change, **options)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else NewKeyForm.Meta.fields

    @sensitive_variables("plain")
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Issue the key; its text lives as long as this request."""
        issued, plain = keys.issue(by=principal_of(request).actor, **form.cleaned_data)
        obj.pk, obj.prefix = issued.pk, issued.prefix
        obj.plain = plain

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._show_once(request, obj, obj.plain)

    @operation("Rotate", icon="autorenew")
    @sensitive_variables("plain")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the overlap, then show the successor."""
        key = self.get_object(request, object_id)
        if key is None:
            raise Http404
        form = RotationForm(request.POST if CONFIRMED in request.POST else None)
        if form.is_valid():
            overlap = timedelta(hours=form.cleaned_data["overlap_hours"])
            try:
                new, plain = keys.rotate(
                    key_id=key.pk, overlap=overlap, by=principal_of(request).actor
                )
            except Problem as problem:
                form.add_error(None, problem.title)
            else:
                return self._show_once(request, new, plain)
        return self.ask(
            request,
            title="Rotate",
            effect="A successor with the same rights is issued; this key ends after the overlap.",
            objects=[key],
            form=form,
            back="../change/",
        )

    @operation("Revoke", icon="block")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, REVOKE, object_id)

    @operation("Revoke the selected keys")
    def revoke_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, REVOKE)

    @labelled("state", {"works": "success", "ended": "danger", "replaced": "warning"})
    def state(self, key: ApiKey) -> str:
        now = timezone.now()
        if any(end is not None and end <= now for end in (key.revoked_at, key.expires_at)):
            return "ended"
        return "replaced" if key.successor_id else "works"

    @sensitive_variables("plain")
    def _show_once(self, request: HttpRequest, key: ApiKey, plain: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "New API key",
            "opts": self.opts,
            "key": key,
            "plain": plain,
        }
        return TemplateResponse(request, "admin/fairlane/new_key.html", context)
