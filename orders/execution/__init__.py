"""The stages of an order, each over a set: route → build → submit → confirm.

Every stage reads the rows of its claim, does its I/O outside any transaction, and records all
outcomes in one. A row whose claim was lost in between is left alone.
"""
