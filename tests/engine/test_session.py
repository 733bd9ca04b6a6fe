"""One command at a time: ids, routing, deadlines."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.engine.messages import Failure, Ok, Progress, Result
from hotfolder.engine.session import Failed, Finished, Session, TimedOut
from hotfolder.errors import EngineBusy, EngineTimeout

ids = st.sampled_from(["generate-1", "generate-2", "load-1", "", "generate-999"])
any_message = st.one_of(
    st.builds(Ok, ids, st.just({})),
    st.builds(Progress, ids, st.just({"phase": "sampling"})),
    st.builds(Result, ids, st.just({})),
    st.builds(Failure, ids, st.sampled_from([None, "PARSE_ERROR", "NO_MODEL"]), st.just("no")),
)


def begin(session, cmd="generate", *, now=100.0, total_s=60.0, stall_s=10.0):
    line = session.begin(cmd, None, now=now, total_s=total_s, stall_s=stall_s)
    return json.loads(line)["id"]


def test_ids_name_the_command_and_count_up():
    session = Session()

    first = begin(session, "load")
    session.receive(Ok(first, {}))

    assert (first, begin(session, "generate")) == ("load-1", "generate-2")


def test_two_sessions_of_one_counter_share_no_id():
    numbers = itertools.count(1)

    assert begin(Session(numbers)) != begin(Session(numbers))


def test_second_command_waits_for_the_first():
    session = Session()
    first = begin(session)

    with pytest.raises(EngineBusy):
        begin(session)

    assert session.in_flight == first


def test_command_that_cannot_be_encoded_is_not_in_flight():
    session = Session()

    with pytest.raises(ValueError, match="JSON"):
        session.begin("generate", {"value": float("nan")}, now=0.0, total_s=1.0, stall_s=1.0)

    assert session.idle


@given(st.lists(any_message, max_size=12))
def test_only_its_own_reply_ends_a_command(arrived):
    session = Session()
    own_id = begin(session)

    for message in arrived:
        meaning = session.receive(message)
        if meaning is None:
            continue
        assert message.id == own_id or (isinstance(message, Failure) and message.id == "")
        if isinstance(meaning, Finished):
            assert meaning.reply is message
        elif isinstance(meaning, Failed):
            assert meaning.failure is message
        else:
            assert isinstance(message, Progress)
            continue
        break
    else:
        assert session.in_flight == own_id
        return
    assert session.in_flight is None


@given(st.lists(any_message))
def test_reply_after_the_end_means_nothing(late):
    session = Session()
    own_id = begin(session)
    session.receive(Result(own_id, {}))

    assert [session.receive(message) for message in late] == [None] * len(late)


def test_late_result_is_not_taken_for_the_next_one():
    session = Session()
    first = begin(session)
    session.receive(Failure(first, "GENERATION_FAILED", "no"))
    second = begin(session)

    assert session.receive(Result(first, {"output": "old"})) is None
    assert session.in_flight == second


def test_line_that_the_engine_could_not_read_fails_the_command():
    session = Session()
    begin(session)
    failure = Failure("", "PARSE_ERROR", "Invalid JSON")

    assert session.receive(failure) == Failed(failure)
    assert session.idle


def test_silence_ends_a_command_before_its_total():
    session = Session()
    begin(session, now=100.0, total_s=60.0, stall_s=10.0)

    assert session.deadline(heard_at=105.0) == 115.0
    assert session.expire(now=114.9, heard_at=105.0) is None
    assert session.expire(now=115.0, heard_at=105.0) == TimedOut("generate", True, 10.0)


def test_silence_after_a_foreign_answer_names_it():
    session = Session()
    begin(session, now=100.0, stall_s=10.0)
    session.receive(Result("generate-999", {}))

    assert session.expire(now=110.0, heard_at=100.0) == TimedOut("generate", True, 10.0, "generate-999")


def test_foreign_answer_to_an_earlier_command_is_forgotten():
    session = Session()
    first = begin(session, now=100.0)
    session.receive(Result("generate-999", {}))
    session.receive(Result(first, {}))
    begin(session, now=100.0, stall_s=10.0)

    timed_out = session.expire(now=110.0, heard_at=100.0)

    assert timed_out is not None
    assert timed_out.foreign_id is None


def test_total_ends_a_command_that_keeps_talking():
    session = Session()
    begin(session, now=100.0, total_s=60.0, stall_s=10.0)

    assert session.expire(now=159.9, heard_at=159.0) is None
    assert session.expire(now=160.0, heard_at=159.0) == TimedOut("generate", False, 60.0)


def test_silence_is_counted_from_the_command_not_from_the_idle_time_before():
    session = Session()
    begin(session, now=100.0, stall_s=10.0)

    assert session.deadline(heard_at=3.0) == 110.0


def test_after_a_timeout_nothing_is_ever_sent_again():
    session = Session()
    own_id = begin(session, now=100.0)
    session.expire(now=1000.0, heard_at=100.0)

    with pytest.raises(EngineTimeout):
        begin(session)

    assert session.receive(Result(own_id, {})) is None
    assert not session.idle


@given(st.floats(0, 1000), st.floats(0.1, 100), st.floats(0.1, 100), st.floats(0, 1000), st.floats(0, 1000))
def test_deadline_is_the_moment_at_which_the_timeout_comes(now, total_s, stall_s, heard_at, later):
    session = Session()
    begin(session, now=now, total_s=total_s, stall_s=stall_s)
    deadline = session.deadline(heard_at)

    assert (session.expire(now=later, heard_at=heard_at) is not None) == (later >= deadline)


def test_idle_session_has_no_deadline():
    assert Session().deadline(heard_at=5.0) is None
    assert Session().expire(now=1e9, heard_at=5.0) is None
