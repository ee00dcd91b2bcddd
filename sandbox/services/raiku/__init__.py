"""A seller of block space: sealed auctions of future slots, immediate inclusion, receipts."""
