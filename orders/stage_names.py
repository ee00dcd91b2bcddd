"""Names of the stages an order goes through."""

ROUTE = "orders.route"
BUILD = "orders.build"
SUBMIT = "orders.submit"
CONFIRM = "orders.confirm"
