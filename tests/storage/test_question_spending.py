"""Spent is spent: once, for ever, also when the process dies in the middle."""

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from openceir.questions import AnonymousToken, QuotaSpent, TokenSpent
from openceir.storage.database import Database
from openceir.storage.question_spending import Allowance, QuestionSpending

DAY = date(2027, 3, 1)
NOON = datetime(2027, 3, 1, 12, 0, 20, tzinfo=UTC)
A_DAY, AN_ADDRESS, ALL = Allowance(10**6, 1000), Allowance(10**6, 10), Allowance(10**6, 25)


def token(number: int, day: date = DAY) -> AnonymousToken:
    return AnonymousToken(day, number.to_bytes(32, "big"), bytes(32))


@pytest.fixture
def spending(tmp_path):
    database = Database(tmp_path / "spending.sqlite")
    yield QuestionSpending(database)
    database.close()


def test_a_token_is_spent_once(spending):
    spending.spend([token(1), token(2)], DAY)
    for again in ([token(1)], [token(3), token(2)], [token(4), token(4)]):
        with pytest.raises(TokenSpent):
            spending.spend(again, DAY)
    spending.spend([token(3), token(4)], DAY)  # a refusal spent none of its tokens


def test_a_token_stays_spent_on_the_next_day_and_is_forgotten_when_it_is_worth_nothing(spending, tmp_path):
    spending.spend([token(1)], DAY)
    with pytest.raises(TokenSpent):
        spending.spend([token(1)], DAY + timedelta(days=1))
    spending.spend([token(9, DAY + timedelta(days=2))], DAY + timedelta(days=2))
    rows = sqlite3.connect(tmp_path / "spending.sqlite")
    assert rows.execute("SELECT COUNT(*) FROM spent").fetchone() == (1,)
    rows.close()


def test_a_partner_asks_up_to_its_quota_and_is_told_so(spending):
    spending.count_questions("dealer", 900, A_DAY, NOON)
    with pytest.raises(QuotaSpent, match="900 of 1000 questions of this day are used, 101 more do not fit"):
        spending.count_questions("dealer", 101, A_DAY, NOON)
    spending.count_questions("dealer", 100, A_DAY, NOON)
    spending.count_questions("other", 1000, A_DAY, NOON)
    spending.count_questions("dealer", 1000, A_DAY, NOON + timedelta(days=1))
    spending.set_quota("dealer", 1500)
    spending.count_questions("dealer", 500, A_DAY, NOON + timedelta(days=1))
    assert spending.used_today(DAY) == {"dealer": 1000, "other": 1000}


def test_going_through_a_model_stops_at_the_quota_of_an_address_and_of_all(spending):
    """A million questions list one TAC: an address has ten, and everybody together a bound."""
    spending.count_tokens("192.0.2.1", 10, AN_ADDRESS, ALL, NOON)
    with pytest.raises(QuotaSpent, match="10 of 10 tokens of this day"):
        spending.count_tokens("192.0.2.1", 1, AN_ADDRESS, ALL, NOON)
    spending.count_tokens("192.0.2.2", 10, AN_ADDRESS, ALL, NOON)
    with pytest.raises(QuotaSpent, match="20 of 25 tokens of all together"):
        spending.count_tokens("192.0.2.3", 6, AN_ADDRESS, ALL, NOON)
    spending.count_tokens("192.0.2.3", 5, AN_ADDRESS, ALL, NOON)  # the refusal counted nothing, for nobody
    assert spending.used_today(DAY) == {"": 25}


def test_a_minute_has_a_share_of_its_own_and_is_forgotten_with_it(spending, tmp_path):
    most = Allowance(per_minute=5, per_day=12)
    spending.count_questions("dealer", 5, most, NOON)
    with pytest.raises(QuotaSpent, match="5 of 5 questions of this minute are used, 1 more do not fit") as spent:
        spending.count_questions("dealer", 1, most, NOON)
    assert spent.value.retry_after_s == 40
    spending.count_questions("other", 5, most, NOON)
    spending.count_tokens("192.0.2.1", 5, most, Allowance(8, 100), NOON)
    with pytest.raises(QuotaSpent, match="5 of 8 tokens of all together of this minute"):
        spending.count_tokens("192.0.2.2", 4, most, Allowance(8, 100), NOON)
    next_minute = NOON + timedelta(seconds=40)
    spending.count_questions("dealer", 5, most, next_minute)
    rows = sqlite3.connect(tmp_path / "spending.sqlite")
    minutes = rows.execute("SELECT DISTINCT day FROM used WHERE length(day) > 10").fetchall()
    rows.close()
    assert minutes == [("2027-03-01T12:01",)], "when an address asked is not kept for longer than it counts"
    with pytest.raises(QuotaSpent, match="10 of 12 questions of this day") as spent:
        spending.count_questions("dealer", 3, most, next_minute)
    assert spent.value.retry_after_s == 11 * 3600 + 59 * 60
    assert spending.used_today(DAY) == {"dealer": 10, "other": 5, "": 5}


def test_no_address_stands_in_the_file(spending, tmp_path):
    spending.count_tokens("192.0.2.77", 1, AN_ADDRESS, ALL, NOON)
    for path in tmp_path.iterdir():
        assert b"192.0.2" not in path.read_bytes()


SPENDER = """
import sys
from datetime import date
from pathlib import Path
from openceir.questions import AnonymousToken
from openceir.storage.database import Database
from openceir.storage.question_spending import QuestionSpending
shelf = QuestionSpending(Database(Path(sys.argv[1])))
day = date(2027, 3, 1)
for number in range(int(sys.argv[2]), 10**6):
    shelf.spend([AnonymousToken(day, number.to_bytes(32, "big"), bytes(32))], day)
    print(number, flush=True)
"""


def test_what_was_told_as_spent_is_spent_after_a_kill(tmp_path):
    """kill -9, twelve times, at whatever moment it comes; the shelf opens again and knows every token that was taken."""
    path = tmp_path / "spending.sqlite"
    told: list[int] = []
    for _ in range(12):
        first = told[-1] + 2 if told else 0  # one may have been taken without being told: its asker lost it
        process = subprocess.Popen([sys.executable, "-c", SPENDER, str(path), str(first)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        for _ in range(5):
            line = process.stdout.readline()
            told.append(int(line))
        os.kill(process.pid, signal.SIGKILL)
        told += [int(line) for line in process.stdout.read().split(b"\n")[:-1] if line]
        process.stdout.close()
        process.wait(timeout=60)
    database = Database(Path(path))
    shelf = QuestionSpending(database)
    for number in told:
        with pytest.raises(TokenSpent):
            shelf.spend([token(number)], DAY)
    database.close()
