"""Somebody who is not logged in: looks, from this machine alone, and sees nothing but the pictures."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.plugins.furniture import GENERATION, JOBS, MADE, PICTURES, PLAIN
from tests.plugins.house import House, open_house

LOOKS = (
    *(
        "/-/library",
        "/-/queue",
        "/-/api/media",
        f"/-/api/media/{PLAIN}",
        "/-/api/jobs",
        "/-/api/status",
        "/-/api/events",
    ),
    *(f"/media/{PLAIN}/original", f"/media/{PLAIN}/thumbnail", f"/-/api/jobs/{JOBS['ben', 'failed']}"),
    *(
        "/library/pictures",
        "/library/pictures.json",
        "/library/pictures.csv",
    ),
    *("/library/picture_keywords", "/library/base_models.json", "/library/base_models/flux2-klein-4b"),
)
CLOSED = (
    *(
        "/-/setup",
        "/-/api/setup",
        "/-/plugins",
        "/-/plugins.json",
        "/-/settings",
        "/-/settings.json",
        "/-/threads",
    ),
    *(
        "/-/threads.json",
        "/-/config",
        "/-/config.json",
        "/-/metadata",
        "/-/metadata.json",
        "/-/versions",
        "/-/databases",
    ),
    *(
        "/-/actor",
        "/-/permissions",
        "/-/messages",
        "/-/allow-debug",
        "/-/patterns",
        "/-/tasks.json",
        "/-/actions.json",
    ),
    *(
        "/-/create-token",
        "/-/api",
        "/-/jump",
        "/-/queries",
        "/-/schema",
        "/-/schema.json",
        "/-/allowed",
        "/-/rules",
    ),
    *(
        "/-/check",
        "/-/debug/autocomplete",
        "/-/logout",
        "/_memory",
        "/_internal",
        "/:memory:",
        "/-",
        "/-/",
        "/.json",
    ),
    f"/v1/images/generations/{PLAIN}",
)
PRIVATE_TABLES = (
    "media",
    "generations",
    "generation_inputs",
    "keywords",
    "media_keywords",
    "rating_history",
    "jobs",
    "events",
    "work_queue",
    "seen_files",
    "app_settings",
    "media_changes",
    "media_texts",
    "media_fts",
    "_sqlite_migrations",
)
FORWARDED = (
    *("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host", "X-Forwarded-Proto"),
    *("X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Original-Forwarded-For"),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that can be reached from other machines."""
    with open_house(tmp_path_factory.mktemp("open") / "library", "--host", "0.0.0.0") as made:
        yield made


@pytest.mark.parametrize("path", LOOKS)
def test_visitors_look_at_pictures_jobs_and_their_tables(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(path).status_code == 200


@pytest.mark.parametrize("header", FORWARDED)
def test_nobody_looks_through_a_proxy(visitor: httpx.Client, header: str) -> None:
    for path in LOOKS:
        assert visitor.get(path, headers={header: "127.0.0.1"}).status_code == 401


@pytest.mark.parametrize("path", CLOSED)
def test_visitors_learn_nothing_of_the_machine_and_the_settings(visitor: httpx.Client, path: str) -> None:
    answer = visitor.get(path)

    assert answer.status_code == 401, answer.text[:200]
    assert len(answer.content) < 1500


@pytest.mark.parametrize("name", ["setup", "lineage/none"])
def test_a_person_is_refused_by_a_page_and_a_program_by_json(visitor: httpx.Client, name: str) -> None:
    page = visitor.get(f"/-/{name}", headers={"Accept": "text/html,*/*"})

    assert page.status_code in (401, 404)
    assert page.headers["content-type"].startswith("text/html")
    assert "<h1>" in page.text
    assert "error" in visitor.get("/-/api/setup").json()


@pytest.mark.parametrize("table", PRIVATE_TABLES)
@pytest.mark.parametrize(
    "form",
    ["", ".json", ".csv", ".jsono", ".json?_shape=array", ".csv?_stream=1", "?_size=max", "/1", "/1.json"],
)
def test_tables_that_are_not_on_the_list_are_closed_in_every_form(
    visitor: httpx.Client, table: str, form: str
) -> None:
    answer = visitor.get(f"/library/{table}{form}")

    assert answer.status_code in (400, 401, 403, 404), answer.text[:200]
    assert "job_file" not in answer.text.replace("job_files", "")


@pytest.mark.parametrize(
    "table",
    ["JOBS", "Jobs", "~6aobs", "jobs~20", "sqlite_master", "sqlite_schema", "sqlite_sequence",
     "sqlite_temp_master", "pragma_table_list",
     "main.jobs", '"jobs"', "[jobs]", "jobs%20", "jobs~00"],
)  # fmt: skip
def test_a_closed_table_has_no_other_name(visitor: httpx.Client, table: str) -> None:
    for form in ("", ".json", ".csv", f"/{JOBS['anna', 'queued']}.json"):
        answer = visitor.get(f"/library/{table}{form}")
        assert answer.status_code in (302, 400, 401, 403, 404, 500), (form, answer.text[:300])
        assert "local.procedural" not in answer.text
        if answer.status_code == 302:
            assert visitor.get(answer.headers["location"]).status_code in (401, 403, 404), answer.headers


@pytest.mark.parametrize(
    "database", ["LIBRARY", "~6cibrary", "library~2e", "libr%61ry", "//library", "./library"]
)
def test_the_library_has_no_other_name(house: House, visitor: httpx.Client, database: str) -> None:
    raw = httpx.URL(house.url).copy_with(raw_path=f"/{database}/jobs.json".encode())

    assert visitor.get(raw).status_code in (401, 403, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/library?sql=select+*+from+jobs", "/library.json?sql=select+*+from+jobs",
        "/library.csv?sql=select+1",
        "/library/-/query?sql=select+*+from+jobs", "/library/-/query.json?sql=select+1",
        "/library/-/query.csv?sql=select+1",
        "/library/-/query/parameters?sql=select+:a", "/library/-/execute-write",
        "/library/-/execute-write/analyze?sql=select+1",
        "/library/-/queries/analyze?sql=select+1", "/library/-/create", "/library/-/queries/store",
    ],
)  # fmt: skip
def test_visitors_have_no_sql(visitor: httpx.Client, path: str) -> None:
    answer = visitor.get(path)

    assert answer.status_code in (302, 400, 401, 403, 404, 405), answer.text[:300]
    assert "local.procedural" not in answer.text
    if answer.status_code == 302:
        assert visitor.get(answer.headers["location"]).status_code in (401, 403, 404)


@pytest.mark.parametrize(
    "query",
    [
        "_where=1=1", "_where=id+in+(select+id+from+jobs)", "_where=(select+count(*)+from+jobs)>0",
        '_through={"table":"jobs","column":"owner","value":"anna"}',
        '_through={"table":"generations","column":"job_id","value":"x"}',
        '_through={"table":"work_queue","column":"id","value":"x"}',
        "_search=x", "_facet=job_id", "_facet_size=max&_facet=owner", "_labels=on", "_extra=query",
        "_trace=1", "_col=job_id",
        "_sort=(select+text+from+jobs)", "_next=x", "_shape=object", "_facet_array=x", "_nofacet=1",
        "_extra=_all",
        "_extra=foreign_key_tables,database_color,metadata,query,debug,request,count_sql,renderers,private,expandable_columns",
    ],
)  # fmt: skip
@pytest.mark.parametrize("table", ["pictures", "picture_keywords", "base_models"])
def test_no_question_about_an_open_table_is_answered_from_a_closed_one(
    visitor: httpx.Client, table: str, query: str
) -> None:
    for form in ("", ".json", ".csv"):
        answer = visitor.get(f"/library/{table}{form}?{query}")
        assert answer.status_code in (200, 302, 400, 403, 404, 500), answer.text[:300]
        if query.startswith("_where"):
            assert answer.status_code == 403, answer.text[:300]
        assert "endpointKey" not in answer.text  # it stands in the text of jobs alone
        assert "|.yaml" not in answer.text  # and this in their file names


@pytest.mark.parametrize("table", ["media", "generations"])
def test_rows_of_closed_tables_are_closed_one_by_one_too(visitor: httpx.Client, table: str) -> None:
    row = MADE if table == "media" else GENERATION

    for form in ("", ".json", "?_labels=on", ".json?_extra=foreign_key_tables"):
        answer = visitor.get(f"/library/{table}/{row}{form}")
        assert answer.status_code == 401
        assert row not in answer.text


@pytest.mark.parametrize(
    "path", ["/library.db", "/library.db?_x=1", "/auth.db", "/auth", "/auth/sessions", "/library/auth"]
)
def test_no_database_is_handed_out(house: House, visitor: httpx.Client, path: str) -> None:
    for client in (visitor, house.program("admin", "root")):
        answer = client.get(path)
        assert answer.status_code in (401, 403, 404)
        assert b"SQLite format 3" not in answer.content


def test_the_list_of_tables_names_the_open_ones_alone(visitor: httpx.Client) -> None:
    for path in (
        "/library",
        "/library.json",
        "/library/-/schema",
        "/library/-/schema.json",
        "/library/-/foreign-key-targets",
    ):
        answer = visitor.get(path)
        assert answer.status_code in (200, 400, 401, 403, 404)
        named = set(re.findall(r"[a-z_]+", answer.text))
        assert not named & {"work_queue", "seen_files", "app_settings", "submit_key", "lease_token"}, path


def test_visitors_change_nothing(visitor: httpx.Client) -> None:
    for path in (f"/-/api/media/{PLAIN}", "/-/api/jobs", f"/-/api/jobs/{JOBS['anna', 'queued']}/cancel",
    "/-/logout",
                 "/v1/images/generations", "/library/media/-/insert", f"/library/media/{PLAIN}/-/update",
                 "/-/create-token"):  # fmt: skip
        for method in ("POST", "DELETE"):
            assert visitor.request(method, path, json={"rating": 5}).status_code == 401


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer x", "Basic YW5uYTpi", "Token x", "", "bearer\tx", "Bearer dstok_x"]
)
def test_a_token_that_is_none_is_refused_also_where_a_visitor_may_look(
    visitor: httpx.Client, authorization: str
) -> None:
    answer = visitor.get("/-/api/status", headers={"Authorization": authorization})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "web.token_refused"


@pytest.mark.parametrize(
    "cookie",
    ["ds_actor=x", "ds_actor=eyJhIjp7ImlkIjoicm9vdCJ9fQ", "hotfolder_x=y", "\x80", ";;==;", "x" * 4000],
)
def test_a_cookie_that_is_none_makes_no_actor(house: House, visitor: httpx.Client, cookie: str) -> None:
    answer = visitor.get(
        "/-/api/status", headers={b"Cookie": f"hotfolder_={cookie}; {cookie}".encode("latin1")}
    )

    assert answer.status_code == 200
    assert answer.json()["actor"] is None


def test_another_machine_sees_nothing_without_a_token(house: House) -> None:
    elsewhere = f"http://{_own_address()}:{house.url.rsplit(':', 1)[1]}"
    headers = {"Host": "localhost"}

    for path in LOOKS:
        assert house.visitor(headers).get(elsewhere + path).status_code == 401
        assert house.visitor().get(elsewhere + path).status_code == 421  # by a name that nobody allowed
    assert house.program("read").get(f"{elsewhere}/-/library", headers=headers).status_code == 200


@pytest.fixture(scope="module")
def private_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(
        tmp_path_factory.mktemp("private") / "library", settings="web: {private: true}\n"
    ) as made:
        yield made


def test_a_private_library_shows_visitors_nothing(private_house: House) -> None:
    visitor = private_house.visitor()

    for path in ("/", *LOOKS, *CLOSED, "/library"):
        answer = visitor.get(path)
        assert answer.status_code == 401, path
        assert not any(each in answer.text for each in PICTURES)


def test_a_private_library_is_open_to_those_who_have_a_token_or_a_login(private_house: House) -> None:
    for client in (private_house.program("read"), private_house.browser("read")):
        assert client.get("/-/library").status_code == 200
        assert client.get("/library/jobs.json").status_code == 200


def _own_address() -> str:
    """The address of this machine on its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return str(probe.getsockname()[0])
