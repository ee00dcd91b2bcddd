from typing import Any

import orjson
import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from rest_framework import exceptions, serializers

from fairlane.core import validation
from fairlane.core.errors import FieldError, Problem
from fairlane.core.rest.exceptions import as_problem


class Item(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")
    input_amount: str


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    items: list[Item]


class Nested(serializers.Serializer[Any]):
    items = serializers.ListField(child=serializers.IntegerField())
    name = serializers.CharField()


def findings(text: str) -> list[FieldError]:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate_json(text)
    return list(validation.problem(caught.value).errors)


def test_a_problem_is_rfc_9457() -> None:
    problem = Problem(409, "taken", "It is taken", [FieldError("a", "b", "c")], detail="by you")
    assert orjson.loads(problem.body("req-12345678")) == {
        "type": "urn:fairlane:problem:taken",
        "title": "It is taken",
        "status": 409,
        "code": "taken",
        "detail": "by you",
        "requestId": "req-12345678",
        "errors": [{"field": "a", "code": "b", "message": "c"}],
    }


def test_pydantic_findings_name_the_field_as_it_was_sent() -> None:
    found = findings('{"items": [{"inputAmount": 1}, {"amount": "s3cret"}]}')
    assert [(error.field, error.code) for error in found] == [
        ("items.0.inputAmount", "invalid_type"),
        ("items.1.inputAmount", "required"),
        ("items.1.amount", "unknown_field"),
    ]
    assert "s3cret" not in str(found)


def test_a_body_that_is_no_json_is_malformed() -> None:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate_json("{")
    assert validation.problem(caught.value).code == "malformed_json"


def test_serializer_findings_are_flat() -> None:
    checked = Nested(data={"items": [1, "x"]})
    with pytest.raises(serializers.ValidationError) as caught:
        checked.is_valid(raise_exception=True)
    problem = as_problem(caught.value)
    assert problem is not None
    assert {(error.field, error.code) for error in problem.errors} == {
        ("items.1", "invalid"),
        ("name", "required"),
    }


def test_a_database_that_is_away_is_no_fault_of_the_caller() -> None:
    problem = as_problem(OperationalError("connection to 10.0.0.1 refused"))
    assert problem is not None
    assert (problem.status, problem.headers) == (503, {"Retry-After": "1"})
    assert b"10.0.0.1" not in problem.body()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (exceptions.NotFound(), 404, "not_found"),
        (PermissionDenied(), 403, "forbidden"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
    ],
)
def test_frameworks_errors_are_problems(error: Exception, status: int, code: str) -> None:
    problem = as_problem(error)
    assert problem is not None
    assert (problem.status, problem.code) == (status, code)


def test_what_we_do_not_know_is_left_to_the_500() -> None:
    assert as_problem(KeyError("x")) is None
