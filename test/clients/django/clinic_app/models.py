"""The models of the suite. The unique column is a constraint: for unique=True Django adds an index for LIKE, which is a case
of its own."""

from django.db import models


class Town(models.Model):
    name = models.CharField(max_length=40)

    class Meta:
        db_table = "orm_towns"


class Person(models.Model):
    ssn = models.CharField(max_length=20)
    name = models.CharField(max_length=60)
    born = models.DateField(null=True)
    balance = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    active = models.BooleanField(null=True)
    seen = models.DateTimeField(null=True)
    card = models.UUIDField(null=True)
    photo = models.BinaryField(null=True)
    note = models.TextField(null=True)
    town = models.ForeignKey(Town, models.CASCADE, null=True, related_name="people")

    class Meta:
        db_table = "orm_people"
        constraints = [models.UniqueConstraint(fields=["ssn"], name="orm_people_ssn")]
