"""Subscriptions renewed and payments reconciled: pure rules, what speaks to gateways, and the books."""
