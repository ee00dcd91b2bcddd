"""How the hot tables lie in storage."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("batches", "0001_initial")]

    operations = [
        # Room in every page, so that updates stay in place.
        migrations.RunSQL(
            """
            ALTER TABLE batches_market SET (fillfactor = 50);
            ALTER TABLE batches_batchorder SET (fillfactor = 50);
            ALTER TABLE batches_batch SET (fillfactor = 70);
            ALTER TABLE batches_tick SET (fillfactor = 70);
            ALTER TABLE batches_transfer SET (fillfactor = 70);
            """,
            migrations.RunSQL.noop,
        ),
        # No query asks for bytes, which cost most to analyse; most rows of packets are small.
        migrations.RunSQL(
            """
            ALTER TABLE batches_packet ALTER COLUMN transaction SET STATISTICS 0;
            ALTER TABLE batches_batch ALTER COLUMN leaves SET STATISTICS 0;
            """,
            migrations.RunSQL.noop,
        ),
    ]
