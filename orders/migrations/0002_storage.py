"""How the hot tables lie in storage."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        # Room in every page, so that updates stay in place.
        migrations.RunSQL(
            """
            ALTER TABLE orders_order SET (fillfactor = 60);
            ALTER TABLE orders_attempt SET (fillfactor = 70);
            """,
            migrations.RunSQL.noop,
        ),
        # No query asks for transactions by their bytes, which cost most to analyse.
        migrations.RunSQL(
            """
            ALTER TABLE orders_attempt ALTER COLUMN message SET STATISTICS 0,
                ALTER COLUMN transaction SET STATISTICS 0;
            """,
            migrations.RunSQL.noop,
        ),
    ]
