"""SQLAlchemy 2 over psycopg 3: tables made by create_all(), ORM and Core. See cases.py for its lines."""

import datetime
import decimal
import pathlib
import sys
import uuid
from typing import Optional

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import cases

SUITE = cases.Cases()
case, say = SUITE.case, SUITE.say
DAY = datetime.date(1984, 2, 29)
SEEN = datetime.datetime(2001, 2, 3, 4, 5, 6, 789012, datetime.timezone.utc)


class Base(orm.DeclarativeBase):
    pass


class Town(Base):
    __tablename__ = "orm_towns"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(40))
    people: orm.Mapped[list["Person"]] = orm.relationship(back_populates="town", cascade="all, delete-orphan",
                                                          order_by="Person.id")


class Person(Base):
    __tablename__ = "orm_people"
    id: orm.Mapped[int] = orm.mapped_column(sa.Identity(), primary_key=True)
    ssn: orm.Mapped[str] = orm.mapped_column(sa.String(20), unique=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(60))
    born: orm.Mapped[Optional[datetime.date]] = orm.mapped_column(index=True)
    balance: orm.Mapped[Optional[decimal.Decimal]] = orm.mapped_column(sa.Numeric(10, 2))
    active: orm.Mapped[Optional[bool]]
    seen: orm.Mapped[Optional[datetime.datetime]] = orm.mapped_column(sa.DateTime(timezone=True))
    card: orm.Mapped[Optional[uuid.UUID]]
    photo: orm.Mapped[Optional[bytes]]
    note: orm.Mapped[Optional[str]] = orm.mapped_column(sa.Text)
    town_id: orm.Mapped[Optional[int]] = orm.mapped_column(sa.ForeignKey("orm_towns.id"))
    town: orm.Mapped[Optional[Town]] = orm.relationship(back_populates="people")

    def __str__(self):
        return repr([self.id, self.ssn, self.name, self.born, self.balance, self.active, self.seen, self.card, self.photo,
                     self.note, self.town_id])


def filled(session):
    for table in reversed(Base.metadata.sorted_tables):
        session.execute(sa.delete(table))
    brno = Town(id=1, name="Brno")
    session.add_all([
        brno, Town(id=2, name="Lyon"),
        Person(id=1, ssn="911-00-0001", name="Zelda Quartz", born=DAY, balance=decimal.Decimal("10.50"), active=True,
               seen=SEEN, card=uuid.UUID(int=5), photo=bytes(range(256)), note="left handed", town=brno),
        Person(id=2, ssn="911-00-0002", name="Oskar O'Dune", born=datetime.date(1999, 12, 31), town_id=2),
        Person(id=3, ssn="911-00-0003", name="Žaneta \\ Říční", note="")])
    session.commit()


def show(result):
    for row in result:
        say(*[str(cell) if isinstance(cell, Person) else repr(cell) for cell in row])


@case
def case_create_all(session):
    engine = session.get_bind()
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    Base.metadata.create_all(engine)


@case
def case_reflection(session):
    inspector = sa.inspect(session.get_bind())
    say(sorted(inspector.get_table_names()))
    for table in ("orm_people", "people", "kinds"):
        for column in inspector.get_columns(table):
            say(column)
        say(inspector.get_pk_constraint(table), inspector.get_unique_constraints(table))
        say(inspector.get_indexes(table), inspector.get_foreign_keys(table), inspector.get_check_constraints(table))
    say(repr(sa.Table("people", sa.MetaData(), autoload_with=session.get_bind())))


@case
def case_crud(session):
    filled(session)
    show(session.execute(sa.select(Person).order_by(Person.id)))
    person = session.scalars(sa.select(Person).where(Person.ssn == "911-00-0001")).one()
    person.name, person.balance, person.active = "Zelda Q.", decimal.Decimal("11.25"), False
    session.commit()
    say(person, person.town.name)
    show(session.execute(sa.select(Person.id, Person.born).where(Person.born > DAY).order_by(Person.born.desc())))
    show(session.execute(sa.select(sa.func.min(Person.balance), sa.func.max(Person.born), sa.func.count(Person.note))))
    show(session.execute(sa.select(Person.id).where(Person.ssn.in_(["911-00-0002", "none"]))))
    show(session.execute(sa.select(Person.id).where(Person.born.between(DAY, datetime.date(2000, 1, 1)), Person.card.is_(None))))
    say(session.execute(sa.update(Person).where(Person.card == uuid.UUID(int=5)).values(note=None)).rowcount)
    session.delete(person)
    session.commit()
    show(session.execute(sa.select(Person.id, Person.name).order_by(Person.id).limit(1).offset(1)))


@case
def case_nulls(session):
    filled(session)
    session.add(Person(id=9, ssn="n", name="n"))
    session.commit()
    show(session.execute(sa.select(Person).where(Person.note.is_(None), Person.id > 5)))
    show(session.execute(sa.select(Person.id).where(Person.born.is_not_distinct_from(None)).order_by(Person.id)))


@case
def case_relations(session):
    filled(session)
    for loading in (orm.selectinload, orm.joinedload, orm.subqueryload):
        session.expunge_all()
        for town in session.scalars(sa.select(Town).options(loading(Town.people)).order_by(Town.id)).unique():
            say(town.name, [str(person) for person in town.people])
    show(session.execute(sa.select(Town.name, Person.name).join(Person, isouter=True).order_by(Town.id, Person.id)))
    show(session.execute(sa.select(Town.name).where(Town.people.any(Person.ssn == "911-00-0002"))))


@case
def case_batch(session):
    """The unit of work sends many rows in one INSERT ... SELECT FROM (VALUES ...) ... RETURNING."""
    filled(session)
    people = [Person(ssn=f"922-{n}", name=f"Batch {n}", balance=n) for n in range(30)]
    session.execute(sa.text("ALTER SEQUENCE orm_people_id_seq RESTART WITH 100"))
    session.add_all(people)
    session.commit()
    say([person.id for person in people], people[7])


@case
def case_identity_restarted(session):
    filled(session)
    session.execute(sa.text("ALTER TABLE orm_people ALTER id RESTART WITH 500"))
    session.add(Person(ssn="r", name="r"))
    session.commit()
    show(session.execute(sa.select(Person.id).where(Person.ssn == "r")))


@case
def case_bulk_update(session):
    filled(session)
    session.execute(sa.update(Person), [{"id": 1, "name": "Bulk One"}, {"id": 2, "name": "Bulk Two"}])
    session.execute(sa.insert(Person), [{"id": 50 + n, "ssn": f"922-{n}", "name": f"Batch {n}"} for n in range(3)])
    session.commit()
    show(session.execute(sa.select(Person.id, Person.name).order_by(Person.id)))


@case
def case_transactions(session):
    filled(session)
    session.get(Person, 1).name = "Gone"
    session.flush()
    session.rollback()
    say(session.get(Person, 1).name)


@case
def case_savepoints(session):
    filled(session)
    session.get(Person, 1).name = "Kept"
    try:
        with session.begin_nested():
            session.get(Person, 2).name = "Lost"
            session.add(Person(id=9, ssn="911-00-0003", name="Twice"))
    except sa.exc.IntegrityError as error:
        say(error.orig.sqlstate, error.orig.diag.constraint_name)
    session.commit()
    show(session.execute(sa.select(Person.id, Person.name).order_by(Person.id)))


@case
def case_returning(session):
    filled(session)
    show(session.execute(sa.update(Person).where(Person.id > 1).values(note="n").returning(Person.id, Person.note)))
    show(session.execute(sa.delete(Person).where(Person.ssn == "911-00-0002").returning(Person)))


@case
def case_upsert(session):
    filled(session)
    statement = insert(Person).values([{"id": 1, "ssn": "911-00-0001", "name": "Again"}, {"id": 7, "ssn": "7", "name": "New"}])
    statement = statement.on_conflict_do_update(index_elements=[Person.ssn], set_={"name": statement.excluded.name})
    show(session.execute(statement.returning(Person.id, Person.name)))
    session.execute(insert(Person).values(id=1, ssn="911-00-0001", name="Third").on_conflict_do_nothing())
    show(session.execute(sa.select(Person.id, Person.name).order_by(Person.id)))


@case
def case_errors(session):
    filled(session)
    for person in (Person(id=1, ssn="x", name="x"), Person(id=9, ssn="911-00-0001", name="x"), Person(id=9, ssn="x", name="y" * 61),
                   Person(id=9, ssn="x", name=None), Person(id=9, ssn="x", name="y", town_id=77),
                   Person(id=9, ssn="x", name="y", balance=10**9)):
        session.add(person)
        try:
            session.commit()
            say("no error")
        except sa.exc.DBAPIError as error:
            say(type(error).__name__, error.orig.sqlstate, error.orig.diag.message_primary)
            session.rollback()


@case
def case_prepared(session):
    """More executions than psycopg's prepare threshold, on one connection."""
    filled(session)
    for _ in range(10):
        show(session.execute(sa.select(Person.id, Person.name).where(Person.ssn == "911-00-0002")))


@case
def case_cursor(session):
    """A server-side cursor: DECLARE and FETCH."""
    filled(session)
    for row in session.execute(sa.select(Person.id, Person.name).order_by(Person.id), execution_options={"yield_per": 2}):
        say(tuple(row))


@case
def case_choices(session):
    filled(session)
    show(session.execute(sa.select(Person.id, sa.func.coalesce(Person.note, "none")).order_by(Person.id)))
    session.execute(sa.update(Person).values(name=sa.case((Person.id == 1, "Case One"), else_=Person.name)))
    show(session.execute(sa.select(Person.id, Person.name).order_by(Person.id)))


@case
def case_set_operations(session):
    filled(session)
    one, two = (sa.select(Person.ssn).where(Person.id == number) for number in (1, 2))
    show(sorted(session.execute(sa.union(one, two, one)).all()))
    found = sa.select(Person.ssn).where(Person.id < 3).cte("found")
    show(session.execute(sa.select(Person.id).join(found, found.c.ssn == Person.ssn).order_by(Person.id)))
    show(session.execute(sa.select(Person.id, sa.func.row_number().over(order_by=Person.born)).order_by(Person.id)))
    show(session.execute(sa.select(Person.active, sa.func.count()).group_by(Person.active).order_by(sa.func.count())))


@case
def case_locking(session):
    filled(session)
    show(session.execute(sa.select(Person.name).where(Person.ssn == "911-00-0001").with_for_update(skip_locked=True)))
    session.rollback()


@case
def case_stays(session):
    filled(session)


ENGINE = sa.create_engine(cases.connection_string().replace("postgresql:", "postgresql+psycopg:"), pool_size=2)


def with_session(function):
    with orm.Session(ENGINE) as session:
        function(session)


sys.exit(SUITE.run(with_session))
