"""generated_secret against both emulators."""

from __future__ import annotations

import json
from typing import Any

from integration.account import Account

MODULE = "generated_secret"
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def held(account: Account, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(account.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    return value


def test_the_password_is_made_once_and_stays(aws: Account) -> None:
    name = f"{aws.prefix}/database"
    made = aws.same_in_check_mode(MODULE, name=name, values={"username": "shop"}, tags={"tier": "database"})
    assert made["changed"]
    value = held(aws, name)
    assert made["value"] == value
    assert (value["username"], len(value["password"]), value["password"].isalnum()) == ("shop", 32, True)
    described = aws.client("secretsmanager").describe_secret(SecretId=name)
    assert made["arn"] == described["ARN"]
    assert described["Tags"] == [{"Key": "tier", "Value": "database"}]

    again = aws.run(MODULE, name=name, values={"username": "shop"})
    assert (again["changed"], again["plan"], again["value"], again["arn"]) == (False, [], value, made["arn"])

    more = aws.same_in_check_mode(MODULE, name=name, values={"username": "app", "port": 5432})
    assert more["changed"]
    assert held(aws, name) == value | {"username": "app", "port": 5432}
    assert more["diff"]["after"]["value"] == {"username": f"{HIDDEN} (new)", "password": HIDDEN, "port": HIDDEN}

    gone = aws.same_in_check_mode(MODULE, name=name, state="absent")
    assert (gone["changed"], gone["diff"]["after"], gone["arn"]) == (True, {}, None)
    assert "value" not in gone
    assert not aws.run(MODULE, name=name, state="absent")["changed"]
    assert aws.run(MODULE, name=name)["value"]["password"] != value["password"]


def test_no_value_is_shown_but_where_it_is_asked_for(aws: Account) -> None:
    made = aws.run(MODULE, name=f"{aws.prefix}/shown", values={"token": "a-token-to-keep"})
    shown = json.dumps({part: made[part] for part in ("diff", "plan")})
    assert "a-token-to-keep" not in shown
    assert made["value"]["password"] not in shown


def test_a_secret_of_another_kind_is_not_overwritten(aws: Account) -> None:
    name = f"{aws.prefix}/text"
    aws.client("secretsmanager").create_secret(Name=name, SecretString="a text")
    assert aws.fail(MODULE, name=name)["msg"].startswith(f"secret '{name}' holds no JSON object")
    assert aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"] == "a text"


def test_a_wrong_length_is_refused_before_the_first_call(lab: Account) -> None:
    lab.calls()
    for length in (7, 129):
        msg = lab.fail(MODULE, name="any", password_length=length)["msg"]
        assert msg == f"password_length is {length}; allowed are 8 to 128."
    assert lab.calls() == {}


def test_nothing_to_do_takes_one_call(lab: Account) -> None:
    name = f"{lab.prefix}/calls"
    lab.run(MODULE, name=name)
    lab.calls()
    lab.run(MODULE, name=name)
    assert lab.calls() == {"secretsmanager.GetSecretValue": 1}
