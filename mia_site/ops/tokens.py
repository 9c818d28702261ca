"""Who asks over the API: knox's tokens, and what OpenAPI says of them."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed


class ApiTokens(TokenAuthentication):  # type: ignore[misc]
    """knox's authentication; a token that is no text is a wrong one like any other, not a fault of the desk."""

    def authenticate_credentials(self, token: bytes) -> Any:
        try:
            return super().authenticate_credentials(token)
        except UnicodeDecodeError as error:
            raise AuthenticationFailed("Invalid token.") from error


class ApiTokensScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]
    target_class = "mia_site.ops.tokens.ApiTokens"
