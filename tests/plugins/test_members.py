"""Somebody with a token or a login: may do what the scope says, nothing through Datasette's own routes."""

from __future__ import annotations

import httpx
import pytest

from tests.plugins.furniture import GENERATION, JOBS, PLAIN
from tests.plugins.house import House

JOB = {"endpointKey": "local.procedural.image", "params": {"prompt": "A bay", "size": "64*64"}}
QUEUED = f"/-/api/jobs/{JOBS['anna', 'queued']}"
RATE, SUBMIT = ("POST", f"/-/api/media/{PLAIN}", {"rating": 3}), ("POST", "/-/api/jobs", JOB)
CANCEL, RETRY = (
    ("POST", f"{QUEUED}/cancel", None),
    ("POST", f"/-/api/jobs/{JOBS['anna', 'failed']}/retry", None),
)
GENERATE = ("POST", "/v1/images/generations", {"prompt": "x", "endpointKey": "local.procedural.image"})
WITHDRAW = ("DELETE", f"/v1/images/generations/{JOBS['anna', 'queued']}", None)
DATASETTE_WRITES = (
    *(
        "/library/media/-/insert",
        "/library/media/-/upsert",
        "/library/media/-/alter",
        "/library/media/-/drop",
    ),
    *(
        "/library/-/create",
        "/library/-/execute-write",
        "/library/-/execute-write/analyze",
        "/library/-/queries/store",
    ),
    *(
        "/library/-/queries/analyze",
        "/library/media/-/set-column-type",
        "/library/x/-/update",
        "/library/x/-/delete",
    ),
    *(
        f"/library/media/{PLAIN}/-/update",
        f"/library/media/{PLAIN}/-/delete",
        "/-/create-token",
        "/-/messages",
    ),
    *(
        "/-/permissions",
        "/-/auth-token/",
        "/library",
        "/library/media",
        f"/library/media/{PLAIN}",
        "/-/api",
        "/",
    ),
    *(
        "/LIBRARY/media/-/insert",
        "/~6cibrary/media/-/insert",
        "//library/media/-/insert",
        "/-/api/../../library/-/create",
    ),
)


@pytest.mark.parametrize(
    ("scope", "acts"),
    [
        ("read", [RATE, SUBMIT, CANCEL, RETRY, GENERATE, WITHDRAW]),
        ("rate", [SUBMIT, CANCEL, RETRY, GENERATE, WITHDRAW]),
        ("review", [SUBMIT, CANCEL, RETRY, GENERATE, WITHDRAW]),
        ("submit", [RATE]),
    ],
)
@pytest.mark.parametrize("way", ["token", "login"])
def test_a_scope_does_not_allow_what_it_does_not_name(
    house: House, scope: str, acts: list[tuple[str, str, object]], way: str
) -> None:
    client = house.program(scope) if way == "token" else house.browser(scope)
    seq = client.get("/-/api/status").json()["seq"]

    for method, path, body in acts:
        answer = client.request(method, path, json=body)
        assert answer.status_code == 403, (path, answer.text)
        assert answer.json()["error"]["code"] in ("web.scope_missing", "FORBIDDEN")

    assert client.get("/-/api/status").json()["seq"] == seq
    assert list((house.root / "inbox").glob("*.json")) == []


@pytest.mark.parametrize("scope", ["rate", "review", "admin"])
@pytest.mark.parametrize("way", ["token", "login"])
def test_whoever_may_rate_rates_in_the_own_name(house: House, scope: str, way: str) -> None:
    name = f"{scope}-{way}"
    client = house.program(scope, name) if way == "token" else house.browser(scope, name)
    seq = client.get("/-/api/status").json()["seq"]
    rating = (client.get(f"/-/api/media/{PLAIN}").json()["rating"] + 1) % 6

    answer = client.post(f"/-/api/media/{PLAIN}", json={"rating": rating})

    assert (answer.status_code, answer.json()["rating"]) == (200, rating)
    (event,) = client.get("/-/api/events", params={"after": seq}).json()["events"]
    assert (event["topic"], event["actor"], event["data"]) == ("rating.changed", name, {"rating": rating})


def test_a_revoked_token_is_worth_nothing_at_once(house: House) -> None:
    client = house.program("admin", "carl")
    assert client.get("/-/api/status").json()["actor"] == {"name": "carl", "scopes": ["admin"]}

    house.accounts.revoke_token("carl")

    assert client.get("/-/api/status").status_code == 401
    assert client.get("/-/library").status_code == 401


def test_a_token_that_is_too_old_is_worth_nothing(house: House) -> None:
    _, secret = house.accounts.create_token("dora", ["admin"], "test", valid_s=-1)

    assert house.visitor({"Authorization": f"Bearer {secret}"}).get("/-/api/status").status_code == 401


def test_a_token_is_no_cookie_and_a_cookie_no_token(house: House) -> None:
    secret = house.token("admin")
    browser = house.browser("admin")
    ((name, session),) = browser.cookies.items()

    assert house.visitor({"Cookie": f"{name}={secret}"}).get("/-/api/status").json()["actor"] is None
    assert house.visitor({"Authorization": f"Bearer {session}"}).get("/-/api/status").status_code == 401
    assert house.visitor().get("/-/api/status", params={"token": secret}).json()["actor"] is None


def test_a_token_counts_more_than_a_cookie(house: House) -> None:
    browser = house.browser("admin", "anna")

    answer = browser.get("/-/api/status", headers={"Authorization": f"Bearer {house.token('read', 'ben')}"})

    assert answer.json()["actor"] == {"name": "ben", "scopes": ["read"]}
    assert browser.get("/-/api/status", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize("scope", ["read", "admin"])
def test_members_read_all_tables_and_ask_in_sql(house: House, scope: str) -> None:
    client = house.program(scope)

    for table in ("jobs", "events", "work_queue", "media", "seen_files", "app_settings"):
        assert client.get(f"/library/{table}.json").status_code == 200
    rows = client.get(
        "/library.json",
        params={"sql": "select count(*) as n from media", "_shape": "array"},
        follow_redirects=True,
    )
    assert rows.json() == [{"n": 8}]


@pytest.mark.parametrize(
    "sql",
    ["delete from media", "update media set rating = 5", "drop table media", "attach 'auth.db' as a",
     "pragma journal_mode=delete",
     "insert into events values (1)", "with x as (select 1) delete from media", "vacuum into '/tmp/x'",
     "select load_extension('x')",
     "select 1; delete from media", "select writefile('x', 'y')", "select readfile('auth.db')"],
)  # fmt: skip
def test_sql_of_members_only_reads(house: House, admin: httpx.Client, sql: str) -> None:
    for path in ("/library.json", "/library/-/query.json"):
        answer = admin.get(path, params={"sql": sql}, follow_redirects=True)
        assert answer.status_code >= 400, (path, answer.text)
        assert answer.json()["ok"] is False

    assert admin.get("/-/api/media").json()["total"] == 8


@pytest.mark.parametrize("path", DATASETTE_WRITES)
@pytest.mark.parametrize("way", ["token", "login"])
def test_the_writing_routes_of_datasette_are_closed_to_everybody_root_too(
    house: House, path: str, way: str
) -> None:
    client = house.program("admin", "root") if way == "token" else house.browser("admin", "root")
    raw = httpx.URL(house.url).copy_with(raw_path=path.encode())
    before = client.get(
        "/library.json", params={"sql": "select * from media", "_shape": "array"}, follow_redirects=True
    ).json()
    bodies = (
        {
            "row": {"id": "x"},
            "rows": [{"id": "x"}],
            "table": "x",
            "confirm": True,
            "sql": "delete from media",
            "update": {"rating": 1},
        },
        {},
    )

    for body in bodies:
        answer = client.post(raw, json=body)
        assert answer.status_code in (403, 404, 405), answer.text
    assert client.post(raw, data={"sql": "delete from media", "confirm": "1"}).status_code in (403, 404, 405)

    after = client.get(
        "/library.json", params={"sql": "select * from media", "_shape": "array"}, follow_redirects=True
    ).json()
    assert after == before


def test_root_is_a_name_like_any_other(admin: httpx.Client) -> None:
    actor = admin.get("/-/actor.json").json()["actor"]

    assert (actor["id"], actor["name"]) == ("hotfolder:root", "root")
    assert admin.get("/-/permissions").status_code == 403
    assert admin.get("/_internal").status_code in (403, 404)
    assert admin.get("/-/create-token").status_code in (403, 404, 200)  # the page alone: a POST is refused


@pytest.mark.parametrize("path", ["/-/setup", "/-/api/setup"])
def test_members_see_the_set_up(house: House, path: str) -> None:
    assert house.program("read").get(path).status_code == 200


def test_secrets_stand_in_no_answer_and_in_no_log(house: House) -> None:
    secret, link = house.token("admin"), house.link("admin")
    client = house.visitor({"Authorization": f"Bearer {secret}"})
    browser = house.visitor()
    browser.get("/-/auth-token", params={"token": link})
    ((_, session),) = browser.cookies.items()
    pages = [
        client.get(each).text
        for each in ("/-/setup", "/-/api/status", "/-/library", "/-/metadata.json", "/-/settings.json")
    ]
    pages += [
        browser.get(each).text
        for each in ("/-/setup", "/nothing-here", "/library/nothing", "/-/threads.json", "/-/actor.json")
    ]
    printed = house.output() + "".join(each.read_text() for each in (house.root / "logs").glob("*.log"))

    for text in (*pages, printed):
        assert not [each for each in (secret, link, session) if each in text]


@pytest.mark.parametrize(
    "row", [f"jobs/{JOBS['anna', 'queued']}", f"generations/{GENERATION}", f"media/{PLAIN}"]
)
def test_members_see_each_row_by_itself(house: House, row: str) -> None:
    for form in ("", ".json"):
        assert house.program("read").get(f"/library/{row}{form}").status_code == 200
