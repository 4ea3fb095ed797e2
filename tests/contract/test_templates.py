from contract.templates import filled, owned, references


def test_a_reference_that_is_the_whole_text_becomes_the_value() -> None:
    assert filled({"id": "${message.1}", "text": "to ${message.1}"}, [2, 17]) == {"id": 17, "text": "to 17"}


def test_what_is_a_users_own_is_named_by_that_user() -> None:
    template = {"payload": {"token": "${token}", "room": "${user.room}", "text": "${nonce.a} of ${token}"}}
    assert owned(template, "bob") == {
        "payload": {"token": "${token.bob}", "room": "${user.bob.room}", "text": "${nonce.a} of ${token.bob}"}
    }


def test_references_of_a_template() -> None:
    assert references([{"a": "${token}"}, "x ${message.1} ${nonce.b}"]) == {"token", "message.1", "nonce.b"}


def test_what_names_another_user_stays() -> None:
    assert owned("${user.alice.id} ${user.car.vin}", "bob", {"alice"}) == "${user.alice.id} ${user.bob.car.vin}"
