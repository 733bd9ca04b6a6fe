"""What an engine says is kept as long as it says something new, and for the command that it concerns."""

from hotfolder.engine.inbox import Inbox
from hotfolder.engine.messages import Failure, Ok, Progress, Result
from hotfolder.engine.process import ProcessExit

END = ProcessExit(3, ())


def step(number, phase="sampling"):
    return Progress("generate-1", {"phase": phase, "step": number})


def fill(*messages):
    """An inbox of the command generate-1, with what was said a second after its beginning."""
    inbox = Inbox()
    inbox.open("generate-1", 100.0)
    for message in messages:
        inbox.put(message, 101.0)
    return inbox


def take_all(inbox):
    taken = []
    while (event := inbox.take(0.0)) is not None and event is not END:
        taken.append(event)
    return [*taken, event]


def test_only_the_latest_progress_of_a_stage_waits_and_what_was_said_last_is_told_last():
    inbox = fill(*(step(number, phase) for number in range(1000) for phase in ("sampling", "encoding")))
    inbox.put(step(1000), 101.0)

    assert take_all(inbox) == [step(999, "encoding"), step(1000), None]


def test_progress_is_told_before_the_answer_and_the_answer_before_the_end():
    inbox = fill(step(1), Result("generate-1", {}))
    inbox.end(END)

    assert take_all(inbox) == [step(1), Result("generate-1", {}), END]


def test_end_is_told_to_every_later_command_too():
    inbox = fill()
    inbox.end(END)
    inbox.open("generate-2", 102.0)

    assert inbox.take(0.0) is END


def test_what_comes_after_the_answer_is_nobodys():
    inbox = fill(Ok("generate-1", {}), step(1), Failure("", "PARSE_ERROR", "no"), Ok("generate-1", {"x": 1}))

    assert take_all(inbox) == [Ok("generate-1", {}), None]


def test_what_was_said_between_two_commands_is_nobodys():
    inbox = fill()
    inbox.open(None, 102.0)
    inbox.put(Failure("", "PARSE_ERROR", "no"), 103.0)
    inbox.open("generate-2", 104.0)
    inbox.put(Failure("", "PARSE_ERROR", "no"), 103.5)  # read before, handled after

    assert inbox.take(0.0) is None


def test_of_answers_that_nobody_asked_for_one_waits_to_be_told_of():
    inbox = fill(*(Result(f"generate-{number}", {}) for number in range(2, 1000)))

    assert take_all(inbox) == [Result("generate-999", {}), None]


def test_phase_without_a_word_of_ours_waits_for_nobody():
    assert take_all(fill(step(1, "brooding"))) == [None]
