"""Deeds: what operators do to objects, each asked for its reason on a page of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextareaWidget

from fairlane.core.admin.base import OperatedAdmin, principal_of
from fairlane.core.errors import Problem
from fairlane.core.principals import Principal

# Present in a form that was confirmed, absent from the request that asks for it.
CONFIRMED = "confirmed"


class ReasonForm(forms.Form):
    """Why it is done: kept in the audit trail."""

    reason = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="Kept in the audit trail.",
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that is done to objects, each on its own: some may succeed and others not.

    Attributes:
        title: what the button says.
        effect: what will happen, for the page that asks.
        run: does it to the object of this key for this reason and says what was done; a refusal
            is a Problem.
        grave: whether it cannot be taken back.
    """

    title: str
    effect: str
    run: Callable[[str, Principal, str], str]
    grave: bool = False


class DeedAdmin(OperatedAdmin):
    """An admin whose actions are deeds."""

    def on_one(self, request: HttpRequest, deed: Deed, key: str) -> HttpResponse:
        """Ask, then do it to the object of this page."""
        target = self.get_object(request, key)
        if target is None:
            raise Http404
        return self.perform(request, deed, {key: target}, back="../change/")

    def on_selected(self, request: HttpRequest, deed: Deed) -> HttpResponse:
        """Ask, then do it to the rows that are ticked on this page of the list."""
        keys = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
        found = {str(row.pk): row for row in self.get_queryset(request).filter(pk__in=keys)}
        return self.perform(request, deed, found, back=request.get_full_path())

    def describe(self, target: Any) -> str:
        """The object in the words of the page that asks."""
        return str(target)

    def ask(
        self,
        request: HttpRequest,
        *,
        title: str,
        effect: str,
        objects: Sequence[object],
        form: forms.Form,
        grave: bool = False,
        back: str = "../",
    ) -> TemplateResponse:
        """The page that asks for confirmation; it sends the form back to the same address."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "effect": effect,
            "objects": objects,
            "form": form,
            "grave": grave,
            "back": back,
            "confirmed": CONFIRMED,
            "selected": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
            "action": request.POST.get("action", ""),
        }
        return TemplateResponse(request, "admin/fairlane/confirm.html", context)

    def perform(
        self, request: HttpRequest, deed: Deed, targets: Mapping[str, object], back: str
    ) -> HttpResponse:
        """Ask for the reason; once it is there, do the deed to each target and report each."""
        form = ReasonForm(request.POST if CONFIRMED in request.POST else None)
        if not form.is_valid():
            return self.ask(
                request,
                title=deed.title,
                effect=deed.effect,
                objects=[self.describe(target) for target in targets.values()],
                form=form,
                grave=deed.grave,
                back=back,
            )
        by, reason = principal_of(request), form.cleaned_data["reason"]
        for key, target in targets.items():
            try:
                self.message_user(request, deed.run(key, by, reason), messages.SUCCESS)
            except Problem as problem:
                self.message_user(request, f"{target}: {_words(problem)}", messages.ERROR)
        return HttpResponseRedirect(back)


def _words(problem: Problem) -> str:
    return f"{problem.title}. {problem.detail}".strip() if problem.detail else problem.title
