"""The event loop's threads for the database."""

import asyncio
import threading

import pytest
from django.contrib.auth.models import User

from fairlane.core import auth
from fairlane.core.errors import Problem
from fairlane.core.threads import in_thread


async def test_a_slow_call_holds_up_no_other() -> None:
    meeting = threading.Barrier(2, timeout=10)
    await asyncio.gather(in_thread(meeting.wait)(), in_thread(meeting.wait)())


@pytest.mark.django_db(transaction=True)
async def test_sockets_of_one_caller_share_a_look_at_its_access() -> None:
    user = await in_thread(User.objects.create_superuser)("operator")
    ref = f"user:{user.pk}"
    first = await auth.arefresh(ref)
    await in_thread(User.objects.all().delete)()
    assert await auth.arefresh(ref) is first
    auth.forget()
    with pytest.raises(Problem):
        await auth.arefresh(ref)
