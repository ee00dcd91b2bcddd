"""Room in every page of the hot tables, so that updates stay in place."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE orders_order SET (fillfactor = 60);"
            " ALTER TABLE orders_attempt SET (fillfactor = 70);",
            "ALTER TABLE orders_order RESET (fillfactor); ALTER TABLE orders_attempt RESET (fillfactor);",
        ),
    ]
