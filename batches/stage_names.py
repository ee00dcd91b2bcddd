"""Names of the stages of ticks, and of the transfers of their orders."""

CLOSE = "batches.close"
COMMIT = "batches.commit"
CLEAR = "batches.clear"
PULL = "batches.pull"
PAY = "batches.pay"
LAND = "batches.land"
