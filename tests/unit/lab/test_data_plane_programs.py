"""What supervisord, PostgreSQL and Redis are told, as pure text."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from loadlift_lab.data_plane.engines import postgresql, redis
from loadlift_lab.data_plane.supervisor import program_section


def test_a_section_holds_percent_signs_and_spaces() -> None:
    section = program_section("p", ["/bin/echo", "100 %", "a b"], {"X": "1%,2"}, Path("/log/p.log"), user="postgres")
    parsed = configparser.RawConfigParser()
    parsed.read_string(section)
    assert parsed["program:p"]["command"] == "/bin/echo '100 %%' 'a b'"
    assert parsed["program:p"]["environment"] == 'X="1%%,2"'
    assert parsed["program:p"]["user"] == "postgres"


@pytest.mark.parametrize("value", ['a"b', "a'b", "a\nb", "a ;b", "a #b", "a\\b"])
def test_a_value_that_supervisord_cannot_hold_is_refused_with_the_program_named(value: str) -> None:
    with pytest.raises(ValueError, match="program p"):
        program_section("p", ["/bin/true"], {"X": value}, Path("/log"))


def test_a_password_is_in_no_command_line_and_in_no_representation() -> None:
    master = postgresql.Master("app", "it's \\secret", "shop")
    assert "secret" not in repr(master)
    assert "secret" not in postgresql.fingerprint(master.password, "db")
    assert "secret" not in " ".join(postgresql.server_command(Path("/data"), "127.0.22.1", 5432))
    assert postgresql.password_statement(master) == "ALTER ROLE \"app\" PASSWORD E'it''s \\\\secret'"


def test_an_identifier_cannot_end_its_quotes() -> None:
    assert postgresql.quoted_identifier('a"; drop') == '"a""; drop"'


def test_a_cache_keeps_nothing_on_disk() -> None:
    words = redis.command(redis.Cluster("c", 6379, 1024), "127.0.22.1", "/usr/bin/redis-server")
    assert words[words.index("--save") + 1] == ""
    assert words[words.index("--appendonly") + 1] == "no"
    assert words[words.index("--bind") + 1] == "127.0.22.1"
