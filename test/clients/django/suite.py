"""Django 5 over psycopg 3: tables made by its schema editor, the ORM, inspectdb. See cases.py for its lines."""

import datetime
import decimal
import io
import pathlib
import sys
import urllib.parse
import uuid

sys.path[:0] = [str(pathlib.Path(__file__).parents[1])]
import cases

import django
from django.conf import settings

URL = urllib.parse.urlsplit(cases.connection_string())
OPTIONS = {name: values[0] for name, values in urllib.parse.parse_qs(URL.query).items()}
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "HOST": URL.hostname, "PORT": URL.port,
                           "USER": URL.username, "PASSWORD": URL.password, "NAME": URL.path.strip("/"), "OPTIONS": OPTIONS}},
    USE_TZ=True, TIME_ZONE="UTC", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", INSTALLED_APPS=["clinic_app"])
django.setup()

from django.core import management
from django.db import IntegrityError, connection, connections, models, transaction
from django.db.models import Count, F, Max, Min, Q, Value, Window
from django.db.models.functions import Coalesce, RowNumber
from django.db.utils import DatabaseError

from clinic_app.models import Person, Town

SUITE = cases.Cases()
case, say = SUITE.case, SUITE.say
DAY = datetime.date(1984, 2, 29)
SEEN = datetime.datetime(2001, 2, 3, 4, 5, 6, 789012, datetime.timezone.utc)
FIELDS = ("id", "ssn", "name", "born", "balance", "active", "seen", "card", "photo", "note", "town_id")


def filled():
    Person.objects.all().delete()
    Town.objects.all().delete()
    towns = [Town.objects.create(id=number, name=name) for number, name in ((1, "Brno"), (2, "Lyon"))]
    Person.objects.create(id=1, ssn="911-00-0001", name="Zelda Quartz", born=DAY, balance=decimal.Decimal("10.50"), active=True,
                          seen=SEEN, card=uuid.UUID(int=5), photo=bytes(range(256)), note="left handed", town=towns[0])
    Person(id=2, ssn="911-00-0002", name="Oskar O'Dune", born=datetime.date(1999, 12, 31), town=towns[1]).save()
    Person(id=3, ssn="911-00-0003", name="Žaneta \\ Říční", note="").save(force_insert=True)


def show(rows):
    for row in rows:
        if isinstance(row, Person):
            row = [getattr(row, field) for field in FIELDS]
        say([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] if not isinstance(row, dict) else row)


def names():
    show(Person.objects.order_by("id").values_list("id", "name"))


@case
def case_create_tables(_):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS orm_people, orm_towns, django_migrations")
    management.call_command("migrate", run_syncdb=True, verbosity=0)


@case
def case_index_for_like(_):
    """What unique=True and db_index=True on text make besides: an index with varchar_pattern_ops."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX orm_people_ssn_like ON orm_people (ssn varchar_pattern_ops)")


@case
def case_migrate(_):
    """A plain column that comes, changes and goes."""
    with connection.schema_editor() as editor:
        for name, field in (("nick", models.CharField(max_length=10, null=True)), ("age", models.IntegerField(default=3))):
            field.set_attributes_from_name(name)
            field.model = Person
            editor.add_field(Person, field)
            editor.remove_field(Person, field)


@case
def case_index_added(_):
    with connection.schema_editor() as editor:
        index = models.Index(fields=["born", "id"], name="orm_people_born")
        editor.add_index(Person, index)
        editor.remove_index(Person, index)


@case
def case_column_widened(_):
    """A plain column of a protected table changes its type."""
    with connection.schema_editor() as editor:
        old, new = models.CharField(max_length=10, null=True), models.CharField(max_length=30, null=True)
        for field in (old, new):
            field.set_attributes_from_name("nick")
            field.model = Person
        editor.add_field(Person, old)
        editor.alter_field(Person, old, new)
        editor.remove_field(Person, new)


@case
def case_inspectdb(_):
    out = io.StringIO()
    management.call_command("inspectdb", "orm_people", "people", "kinds", stdout=out)
    for line in out.getvalue().splitlines():
        say(line)


@case
def case_crud(_):
    filled()
    show(Person.objects.order_by("id"))
    person = Person.objects.select_related("town").get(ssn="911-00-0001")
    person.name, person.balance, person.active = "Zelda Q.", decimal.Decimal("11.25"), False
    person.save()
    say(person.town.name, Person.objects.get(pk=1).balance)
    show(Person.objects.filter(born__gt=DAY).order_by("-born").values_list("id", "born"))
    show(Person.objects.filter(born__range=(DAY, datetime.date(2000, 1, 1))).exclude(card=None).values("id"))
    show(Person.objects.filter(Q(ssn="911-00-0002") | Q(ssn__in=["none", "911-00-0003"])).order_by("id").values_list("id"))
    say(Person.objects.aggregate(Min("balance"), Max("born"), Count("note"), Count("ssn", distinct=True)))
    say(Person.objects.filter(ssn="911-00-0003").exists(), Person.objects.count())
    say(Person.objects.filter(card=uuid.UUID(int=5)).update(note=None))
    say(Person.objects.get(pk=2).delete())
    names()


@case
def case_nulls(_):
    filled()
    show(Person.objects.filter(note__isnull=True).values_list("id", "born", "active", "card", "photo", "seen"))
    show(Person.objects.filter(born=None).values_list("id"))


@case
def case_relations(_):
    filled()
    for town in Town.objects.prefetch_related("people").order_by("id"):
        say(town.name, [person.name for person in town.people.all()])
    show(Town.objects.filter(people__ssn="911-00-0002").values_list("name"))
    show(Person.objects.order_by("id").values_list("name", "town__name"))
    show(Town.objects.annotate(count=Count("people")).order_by("id").values_list("name", "count"))


@case
def case_pages(_):
    filled()
    show(Person.objects.order_by("id")[1:2].values_list("name"))
    show(Person.objects.order_by("born", "id").values_list("id"))
    show(Person.objects.annotate(row=Window(RowNumber(), order_by=F("born").asc())).order_by("id").values_list("id", "row"))


@case
def case_distinct(_):
    filled()
    show(Person.objects.filter(town__name__startswith="B").distinct().order_by("id"))
    show(sorted(Person.objects.order_by().values_list("ssn").distinct()))


@case
def case_batch(_):
    filled()
    Person.objects.bulk_create([Person(id=100 + n, ssn=f"922-{n}", name=f"Batch {n}", balance=n) for n in range(30)], batch_size=7)
    show(Person.objects.filter(id__gte=100).order_by("id").values_list("ssn", "name", "balance"))


@case
def case_bulk_update(_):
    """CASE WHEN id = ... THEN ... CAST to the column's type."""
    filled()
    people = list(Person.objects.order_by("id"))
    for person in people:
        person.name = f"Bulk {person.id}"
    say(Person.objects.bulk_update(people, ["name"]))
    names()


@case
def case_transactions(_):
    filled()
    try:
        with transaction.atomic():
            Person.objects.filter(pk=1).update(name="Gone")
            raise InterruptedError
    except InterruptedError:
        names()


@case
def case_savepoints(_):
    filled()
    with transaction.atomic():
        Person.objects.filter(pk=1).update(name="Kept")
        try:
            with transaction.atomic():
                Person.objects.filter(pk=2).update(name="Lost")
                Person.objects.create(id=9, ssn="911-00-0003", name="Twice")
        except IntegrityError as error:
            say(error.__cause__.sqlstate, error.__cause__.diag.constraint_name)
    names()


@case
def case_returning(_):
    filled()
    with connection.cursor() as cursor:
        cursor.execute("ALTER SEQUENCE orm_people_id_seq RESTART WITH 200")
    person = Person.objects.create(ssn="new", name="New")
    say(person.pk)


@case
def case_get_or_create(_):
    filled()
    for defaults in ({"id": 8, "name": "Made"}, {"id": 9, "name": "Not made"}):
        person, made = Person.objects.get_or_create(ssn="made", defaults=defaults)
        say(person.name, made)
    person, made = Person.objects.update_or_create(ssn="made", defaults={"name": "Updated"})
    say(person.name, made)


@case
def case_upsert(_):
    filled()
    Person.objects.bulk_create([Person(id=1, ssn="911-00-0001", name="Again"), Person(id=7, ssn="7", name="New")],
                               update_conflicts=True, unique_fields=["ssn"], update_fields=["name"])
    Person.objects.bulk_create([Person(id=1, ssn="911-00-0001", name="Third")], ignore_conflicts=True)
    names()


@case
def case_errors(_):
    filled()
    for values in ({"id": 1, "ssn": "x"}, {"id": 9, "ssn": "911-00-0001"}, {"id": 9, "ssn": "x", "name": "y" * 61},
                   {"id": 9, "ssn": None}, {"id": 9, "ssn": "x", "balance": 10**8}, {"id": 9, "ssn": "x", "town_id": 77}):
        try:
            Person.objects.create(**{"name": "y", **values})
            say("no error")
        except (DatabaseError, decimal.InvalidOperation) as error:
            say(type(error).__name__, cases.sqlstate_of(error))
    names()


@case
def case_cursor(_):
    """iterator() uses a server-side cursor: DECLARE and FETCH."""
    filled()
    for person in Person.objects.order_by("id").iterator(chunk_size=2):
        say(person.name)


@case
def case_choices(_):
    filled()
    show(Person.objects.annotate(text=Coalesce("note", Value("none", output_field=models.TextField()))).order_by("id").values_list("id", "text"))


@case
def case_locking(_):
    filled()
    with transaction.atomic():
        show(Person.objects.select_for_update(of=("self",)).filter(ssn="911-00-0001").values_list("name"))


@case
def case_raw(_):
    filled()
    show(Person.objects.raw("SELECT * FROM orm_people WHERE ssn = %s", ["911-00-0002"]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, born FROM orm_people WHERE born >= %s ORDER BY id", [DAY])
        show(cursor.fetchall())


@case
def case_stays(_):
    filled()


def with_session(function):
    try:
        function(None)
    finally:
        # A new one for the next case: this one may be left inside a transaction.
        connection.close()
        del connections["default"]


sys.exit(SUITE.run(with_session))
