"""Dated policy data: which limit was in force on which day, in what unit, by which legal source.

A policy is TOML that a lawyer can read. The rooms own their sections and give them meaning; this room
only loads them, answers "what held on that day" and refuses what it does not know.
"""

from openceir.policy._policy import (
    Limit,
    Policy,
    PolicyError,
    dated_value,
    load_policy,
    policy_from_json,
    policy_from_text,
)

__all__ = ["Limit", "Policy", "PolicyError", "dated_value", "load_policy", "policy_from_json", "policy_from_text"]
