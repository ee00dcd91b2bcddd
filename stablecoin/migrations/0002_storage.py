"""How open requests are found, and how the hot tables lie in storage."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stablecoin", "0001_initial")]

    operations = [
        migrations.AddField(
            "request",
            "ended",
            models.GeneratedField(
                db_persist=True,
                expression=models.Q(status__in=["COMPLETED", "FAILED", "REJECTED"]),
                output_field=models.BooleanField(),
            ),
        ),
        migrations.AddField(
            "request",
            "in_vain",
            models.GeneratedField(
                db_persist=True,
                expression=models.Q(status__in=["FAILED", "REJECTED"]),
                output_field=models.BooleanField(),
            ),
        ),
        migrations.AddIndex(
            "request",
            models.Index(
                fields=["-created_at", "-id"],
                name="request_not_ended",
                condition=models.Q(ended=False),
            ),
        ),
        migrations.AddIndex(
            "request",
            models.Index(
                fields=["-created_at", "-id"],
                name="request_in_vain",
                condition=models.Q(in_vain=True),
            ),
        ),
        # Room in every page, so that updates stay in place.
        migrations.RunSQL(
            """
            ALTER TABLE stablecoin_request SET (fillfactor = 60);
            ALTER TABLE stablecoin_transaction SET (fillfactor = 70);
            """,
            migrations.RunSQL.noop,
        ),
        # No query asks for transactions by their bytes, which cost most to analyse.
        migrations.RunSQL(
            "ALTER TABLE stablecoin_attempt ALTER COLUMN raw SET STATISTICS 0",
            migrations.RunSQL.noop,
        ),
    ]
