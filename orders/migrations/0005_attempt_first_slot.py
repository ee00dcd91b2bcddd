from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_order_retry_of_order_order_retried_once")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="first_slot",
            # Of attempts from before nobody knows it: the history must reach back to the genesis.
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
    ]
