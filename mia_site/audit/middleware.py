"""Who acts in a request, for what is journalled by signals deep below it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from mia_site.audit.actors import Actor, actor_bound, user_actor

NOBODY = Actor("system", "visitor")


class ActorMiddleware:
    """After authentication: binds the person at the keyboard, who is looked up only if something is journalled."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        def who() -> Actor:
            user = getattr(request, "user", None)
            return NOBODY if user is None or user.pk is None else user_actor(user.pk)

        with actor_bound(who):
            return self._get_response(request)
