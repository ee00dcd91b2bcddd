"""No statistics of transactions' bytes, which no query asks for and which cost most to analyse."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_storage")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE orders_attempt ALTER COLUMN message SET STATISTICS 0,"
            " ALTER COLUMN transaction SET STATISTICS 0;",
            "ALTER TABLE orders_attempt ALTER COLUMN message SET STATISTICS -1,"
            " ALTER COLUMN transaction SET STATISTICS -1;",
        ),
    ]
