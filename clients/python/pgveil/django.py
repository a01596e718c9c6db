"""Django over psycopg 3: `pgveil.django.SharesMiddleware`, last in MIDDLEWARE.

settings.PGVEIL_APP_SHARES: a directory of UID.app files, or a function from user id to app share.
settings.PGVEIL_DATABASE: the alias of the database behind pgveil; "default" without it.
"""

from django.conf import settings
from django.db import connections, transaction
from django.http import HttpResponse
from psycopg.pq import TransactionStatus

from . import ShareError, acting_for, current_shares, share_folder, shares_of
from .psycopg import set_shares


class SharesMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response
        self.app_share_of = of if callable(of := settings.PGVEIL_APP_SHARES) else share_folder(of)

    def __call__(self, request):
        try:
            shares = shares_of(request.headers, self.app_share_of)
        except ShareError as error:
            return HttpResponse(str(error), status=401, content_type="text/plain")
        request.META.pop("HTTP_PGVEIL_USER_SHARE")  # Django's reports of errors show META
        database = connections[getattr(settings, "PGVEIL_DATABASE", "default")]
        with acting_for(shares), database.execute_wrapper(_with_shares):
            return self.get_response(request)


def _with_shares(execute, sql, params, many, context):
    """The first statement of a transaction, and every one outside of any, runs behind SET_SHARES."""
    database = context["connection"]
    driver = database.connection    # psycopg's: Django's own cursor would keep the values in connection.queries
    if driver.info.transaction_status != TransactionStatus.IDLE:
        return execute(sql, params, many, context)
    if database.get_autocommit():
        with transaction.atomic(using=database.alias):
            return _with_shares(execute, sql, params, many, context)
    set_shares(driver, current_shares())
    return execute(sql, params, many, context)
