"""What the register does by itself is done by the worker beside the portal."""

from openceir.portal.register import register
from openceir.portal.regulator.chores import do_chores, let_chores_be_done


def test_the_worker_does_what_policy_says_and_nothing_before(country, clock, capfd):
    let_chores_be_done(clock.at)
    size = register().ledger.size
    (register().policy_folder).mkdir(exist_ok=True)
    (register().policy_folder / "90-chores.toml").write_text('[chores]\nby = "regulator"\n')
    do_chores(clock.at)
    assert "openceir: commit-states: 1 done" in capfd.readouterr().err
    assert [entry.header.kind for entry in register().ledger.entries(size)] == ["state-committed/1"]
    do_chores(clock.at)
    assert register().ledger.size == size + 1
