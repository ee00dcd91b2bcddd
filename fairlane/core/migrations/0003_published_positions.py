"""An index of positions without the unpublished events, and no statistics of what they say."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_outbox")]

    operations = [
        migrations.AlterField("event", "position", models.BigIntegerField(null=True)),
        migrations.AddConstraint(
            "event",
            models.UniqueConstraint(
                condition=models.Q(position__isnull=False),
                fields=["position"],
                name="event_position_unique",
            ),
        ),
        # No query asks for parts of the data, and analysing documents costs more than the rest.
        migrations.RunSQL(
            "ALTER TABLE core_event ALTER COLUMN data SET STATISTICS 0;",
            "ALTER TABLE core_event ALTER COLUMN data SET STATISTICS -1;",
        ),
    ]
