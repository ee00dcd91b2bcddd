"""What the outbox needs of PostgreSQL itself: the notification, the cursor, the storage."""

from django.db import migrations

from fairlane.core.relay import NOTIFY_CHANNEL


def first_position(apps, schema_editor):
    apps.get_model("core", "RelayCursor").objects.get_or_create(id=1)


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RunPython(first_position, migrations.RunPython.noop),
        # One notification per statement, folded into one per transaction by PostgreSQL.
        migrations.RunSQL(
            f"""
            CREATE FUNCTION core_event_notify() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_notify('{NOTIFY_CHANNEL}', ''); RETURN NULL; END $$;
            CREATE TRIGGER core_event_notify AFTER INSERT ON core_event
                FOR EACH STATEMENT EXECUTE FUNCTION core_event_notify();
            """,
            "DROP TRIGGER core_event_notify ON core_event; DROP FUNCTION core_event_notify();",
        ),
        # A queue: every row is updated a few times and deleted. Vacuum by the number of dead
        # rows, not by their share of a table that may be empty one second and full the next.
        migrations.RunSQL(
            """
            ALTER TABLE core_work SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
                autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
            """,
            migrations.RunSQL.noop,
        ),
        # No query asks for parts of the data, and analysing documents costs more than the rest.
        migrations.RunSQL(
            "ALTER TABLE core_event ALTER COLUMN data SET STATISTICS 0;",
            migrations.RunSQL.noop,
        ),
    ]
