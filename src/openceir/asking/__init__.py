"""The asker's side of private questions: sockets around `questions/`.

    asker = PrivateAsker("https://ceir.example", signer=PublicKey.parse("…"))
    [answer] = asker.ask(["001001000000015"])
    answer.word, answer.sentence

Needs nothing of a register: a shop's own program can use it as it is.
"""

from openceir.asking.answer import PrivateAnswer
from openceir.asking.client import PrivateAsker
from openceir.asking.fetching import Fetcher
from openceir.asking.members import MemberEvaluator

__all__ = ["Fetcher", "MemberEvaluator", "PrivateAnswer", "PrivateAsker"]
