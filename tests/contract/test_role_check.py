"""What a contract.yaml that keeps its schema cannot mean: each mistake with its place, all at once."""

from pathlib import Path

import pytest

from contract.errors import ContractError
from contract.folder import find_contract
from contract.model import load_contract

API = """\
asyncapi: 3.0.0
info: {title: Prices, version: 1.0.0}
channels:
  feed:
    address: /
    messages:
      welcome: {$ref: '#/components/messages/welcome'}
      ask: {$ref: '#/components/messages/ask'}
      told: {$ref: '#/components/messages/told'}
      price: {$ref: '#/components/messages/price'}
      fault: {$ref: '#/components/messages/fault'}
      ping: {$ref: '#/components/messages/ping'}
      pong: {$ref: '#/components/messages/pong'}
operations:
  tell:
    action: send
    channel: {$ref: '#/channels/feed'}
    messages:
      - {$ref: '#/channels/feed/messages/welcome'}
      - {$ref: '#/channels/feed/messages/told'}
      - {$ref: '#/channels/feed/messages/price'}
      - {$ref: '#/channels/feed/messages/fault'}
      - {$ref: '#/channels/feed/messages/ping'}
  hear:
    action: receive
    channel: {$ref: '#/channels/feed'}
    messages:
      - {$ref: '#/channels/feed/messages/ask'}
      - {$ref: '#/channels/feed/messages/pong'}
components:
  messages:
    welcome:
      payload: {type: object, required: [type], properties: {type: {const: welcome}, session: {type: string}}}
    ask:
      payload:
        type: object
        required: [type, id, topics]
        properties: {type: {const: ask}, id: {type: string}, topics: {type: array, items: {type: string}}}
    told:
      payload:
        type: object
        required: [type, id]
        properties: {type: {const: told}, id: {type: string}, pair: {prefixItems: [{type: string}], items: false}}
    price:
      payload:
        type: object
        required: [type, number]
        properties:
          type: {const: price}
          number: {type: integer}
          of: {type: object, properties: {topic: {type: string}}}
    fault:
      payload: {type: object, required: [type], properties: {type: {const: fault}, code: {type: string}}}
    ping:
      payload: {type: object, required: [type], properties: {type: {const: ping}, at: {type: integer}}}
    pong:
      payload: {type: object, required: [type], properties: {type: {const: pong}, at: {type: integer}}}
"""

RIGHT = """\
handshake: {path: "/${user.id}", subprotocols: {offer: [prices], selected: prices, otherwise: [{status: 400}]}}
authentication: {in: message, refused: [{close: refused}, {status: 401}]}
channels: [feed]
messages: {name: [{at: type}], generate: [ask]}
acknowledgement: {send: {type: ask, id: "${token}", topics: []}, expect: welcome, id: session, again: [{close: policy}]}
heartbeats:
  - {by: server, ping: ping, answer: {name: pong, send: {type: pong, at: "${message.at}"}}, mute: [{close: 4408}]}
requests: [{name: ask, id: id, replies: [{name: told, last: true}], id_in_use: [{error: IN_USE}]}]
answers: [{to: ping, send: {type: pong, at: "${message.at}"}}]
errors: {message: {name: fault, code: code}, codes: [IN_USE], reactions: {not-json: [{error: IN_USE}, error]}}
numbers: [{at: number, step: 1, per: of.topic, of: [price]}]
close_codes: {refused: 4401}
probe: {send: {type: ask, id: "${text}", topics: ["${group}"]}, expect: [{name: told, match: {id: "${text}"}}]}
flows:
  prices:
    subscribe: {name: ask, group: topics.0, send: {type: ask, id: "${uuid}", topics: ["${group}"]}, in_force: reply}
    delivery: {name: price, group: of.topic, number: number, step: 1}
"""


def said(folder: Path, text: str) -> list[str]:
    """What is said of a contract.yaml, behind the file's name; without a format, it is given one."""
    (folder / "asyncapi.yaml").write_text(API, encoding="utf-8")
    (folder / "contract.yaml").write_text(f"format: wsproof.contract/1\n{text}", encoding="utf-8")
    find_contract.cache_clear()
    try:
        load_contract(find_contract(folder))
    except ContractError as error:
        return [line.removeprefix(f"{folder / 'contract.yaml'}:") for line in error.lines]
    return []


def test_what_is_right(tmp_path: Path) -> None:
    assert said(tmp_path, RIGHT) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        # names
        (
            "acknowledgement: {expect: {name: welcom}}\n",
            "2:28: acknowledgement.expect.name: no message 'welcom' in asyncapi.yaml (did you mean 'welcome'?)",
        ),
        (
            "acknowledgement: {expect: xyz}\n",
            "2:19: acknowledgement.expect: no message 'xyz' in asyncapi.yaml; known: ask, fault, ping, pong, price, "
            "told, welcome",
        ),
        (
            "acknowledgement: {expect: ask}\n",
            "2:19: acknowledgement.expect: expected a message of the server; 'ask' is one of the client",
        ),
        (
            "requests: [{name: price, id: number, replies: [{name: told, id: id}]}]\n",
            "2:13: requests[0].name: expected a message of the client; 'price' is one of the server",
        ),
        (
            "messages: {generate: [told]}\n",
            "2:23: messages.generate[0]: expected a message of the client; 'told' is one",
        ),
        ("channels: [fed]\n", "2:12: channels[0]: no channel 'fed' in the document (did you mean 'feed'?)"),
        ("flows: {prices: {delivery: {name: prices}}}\n", "2:29: flows.prices.delivery.name: no message 'prices' in a"),
        ("numbers: [{at: number, of: [pric]}]\n", "2:29: numbers[0].of[0]: no message 'pric' in asyncapi.yaml (did "),
        (
            "errors: {message: {name: error}}\n",
            "2:20: errors.message.name: no message 'error' in asyncapi.yaml; known:",
        ),
        # paths
        (
            "acknowledgement: {expect: welcome, id: sesion}\n",
            "2:36: acknowledgement.id: the contract has no member 'sesion' in the message (did you mean 'session'?), "
            "in the message 'welcome'",
        ),
        (
            "acknowledgement: {expect: welcome, id: session.id}\n",
            "2:36: acknowledgement.id: the contract has no members in `session`, in the message 'welcome'",
        ),
        (
            "requests: [{name: ask, id: key, replies: [{name: told}]}]\n",
            "2:24: requests[0].id: the contract has no member 'key' in the message; known: id, topics, type, in the ",
        ),
        (
            "requests: [{name: ask, id: topics.-1, replies: [{name: told}]}]\n",
            "2:49: requests[0].replies[0].id: the contract has no member 'topics' in the message; known: id, pair, t",
        ),
        (
            "requests: [{name: ask, id: id, replies: [{name: told, id: pair.1}]}]\n",
            "2:55: requests[0].replies[0].id: the contract has no item 1 in `pair`, in the message 'told'",
        ),
        (
            "numbers: [{at: count}]\n",
            "2:12: numbers[0].at: 'count' leads to nothing in any of these messages: ask, faul",
        ),
        (
            "numbers: [{at: number, per: topic, of: [price]}]\n",
            "2:24: numbers[0].per: 'topic' leads to nothing in any of",
        ),
        (
            "messages: {name: [{at: kind}]}\n",
            "2:20: messages.name[0].at: 'kind' leads to nothing in any of these messag",
        ),
        (
            "errors: {message: {name: fault, about: {name: what}}}\n",
            "2:41: errors.message.about.name: the contract has no member 'what' in the message; known: code, type, i",
        ),
        # codes
        (
            "authentication: {in: query, refused: [{close: refusd}]}\nclose_codes: {refused: 4401}\n",
            "2:40: authentication.refused[0].close: no close code 'refusd' in `close_codes` (did you mean 'refused'?)",
        ),
        (
            "errors: {message: {name: fault, code: code}, codes: [A, B], reactions: {burst: [{error: C}]}}\n",
            "2:82: errors.reactions.burst[0].error: no error code 'C' in `errors.codes`; known: A, B",
        ),
        (
            "errors: {message: {name: fault}, reactions: {burst: [{error: C}]}}\n",
            "2:55: errors.reactions.burst[0].error: needs `errors.message.code`, which says where an error message h",
        ),
        (
            "errors: {reactions: {burst: error}}\n",
            "2:22: errors.reactions.burst: needs `errors.message`, which says what",
        ),
        (
            "errors: {reactions: {burst: [{status: 429}]}}\n",
            "2:31: errors.reactions.burst[0].status: only a handshake is refused with a status; expected `close` or ",
        ),
        # templates
        (
            'probe: {send: {type: ask, id: "${txt}", topics: []}, expect: [told]}\n',
            "2:27: probe.send.id: unknown reference ${txt} (did you mean 'text'?)",
        ),
        (
            'probe: {send: {type: ask, id: "${message.id}", topics: []}, expect: [told]}\n',
            "2:27: probe.send.id: unknown reference ${message.id}; known: ${counter}, ${counter.NAME}, ${group}",
        ),
        (
            'probe: {send: {type: ask, id: "${user}", topics: []}, expect: [told]}\n',
            "2:27: probe.send.id: unknown reference ${user} (did you mean '",
        ),
        (
            'answers: [{to: ping, send: {type: pong, at: "${message.when}"}}]\n',
            "2:22: answers[0].send: the contract has no member 'when' in the message; known: at, type, in the messag",
        ),
        (
            'probe: {send: {type: asks, id: "${text}"}, expect: [told]}\n',
            "2:9: probe.send: no message 'asks' in asyncapi.yaml (did you mean 'ask'?)",
        ),
        (
            "probe: {send: {type: ask, id: a}, expect: [told]}\n",
            "2:9: probe.send: breaks the schema of 'ask': ",
        ),
        (
            'probe: {send: {kind: ask, id: "${text}"}, expect: [told]}\n',
            "2:9: probe.send: expected a message that a client sends; this one bears no name (known: ask, pong)",
        ),
        (
            "heartbeats: [{by: server, ping: ping, answer: {name: pong, send: {type: ask, id: a, topics: []}}}]\n",
            "2:60: heartbeats[0].answer.send: expected a message 'pong'; this one bears the name 'ask'",
        ),
        # roles that lack what they need, and contradictions
        (
            "authentication: {in: message}\n",
            "2:18: authentication.in: message needs `acknowledgement.send`, the message",
        ),
        (
            "authentication: {in: none, refused: [{close: 4401}]}\n",
            "2:28: authentication.refused: there are no credentia",
        ),
        (
            "acknowledgement: {expect: welcome, again: [{close: 4429}]}\n",
            "2:36: acknowledgement.again: needs `send`: wh",
        ),
        ("probe: {send: {type: pong}}\n", "2:9: probe.send: needs `expect`"),
        ("probe: {expect_text: a}\n", "2:9: probe.expect_text: needs `send_text`"),
        ("probe: {text: {max: 5}}\n", "2:1: probe: expected the members 'send', 'expect'"),
        (
            "handshake: {subprotocols: {offer: [a, prices], selected: price}}\n",
            "2:48: handshake.subprotocols.selected: expected one of `offer`; got 'price' (did you mean 'prices'?)",
        ),
        (
            "heartbeats: [{by: server, ping: ping}, {by: either, ping: ping}]\n",
            "2:53: heartbeats[1].ping: contradicts heartbeats[0], which begins with the same message",
        ),
        (
            "heartbeats: [{by: server, ping: ping, answer: pang}]\n",
            "2:39: heartbeats[0].answer: no message 'pang' in asy",
        ),
        (
            "heartbeats: [{by: server, ping: ping, tolerance: 5%}]\n",
            "2:39: heartbeats[0].tolerance: needs `every`, the",
        ),
        (
            "heartbeats: [{by: server, ping: ping, timeout: 5s}]\n",
            "2:39: heartbeats[0].timeout: needs `answer`: none is",
        ),
        (
            "requests: [{name: ask, id: id, replies: [told]}]\n",
            "2:42: requests[0].replies[0]: expected a mapping of names to values; got ",
        ),
        (
            "flows: {prices: {subscribe: {name: ask, in_force: own-delivery}, delivery: {name: price}}}\n",
            "2:41: flows.prices.subscribe.in_force: own-delivery needs `post`: here the server posts",
        ),
        (
            "flows: {prices: {subscribe: {name: ask, in_force: reply}, delivery: {name: price}}}\n",
            "2:41: flows.prices.subscribe.in_force: reply needs a request 'ask' in `requests`",
        ),
        (
            "flows: {prices: {post: {name: ask, stamp: id}, delivery: {name: price}}}\n",
            "2:48: flows.prices.delivery: needs `stamp`: where the post's text arrives",
        ),
        (
            "flows: {prices: {delivery: {name: price, step: 1}}}\n",
            "2:42: flows.prices.delivery.step: needs `number`, the",
        ),
        # what is no regular expression
        (
            "messages: {codec: {text: '(?P<a>['}}\n",
            "2:12: messages.codec: not a regular expression: unterminated charac",
        ),
        ("include: [rfc645]\n", "2:11: include: no pack 'rfc645' (did you mean 'rfc6455'?)"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, text: str, line: str) -> None:
    lines = said(tmp_path, text)
    assert len(lines) == 1, lines
    assert lines[0].startswith(line), lines[0]


def test_all_mistakes_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        "acknowledgement: {expect: welcom}\nnumbers: [{at: count}]\nmessages: {generate: [a]}\nprobe: {send_text: a}\n"
    )
    assert [line.partition(": ")[0] for line in said(tmp_path, text)] == ["2:19", "3:12", "4:23", "5:9"]


def test_without_a_document_names_are_not_looked_up(tmp_path: Path) -> None:
    (tmp_path / "contract.yaml").write_text(
        "format: wsproof.contract/1\nacknowledgement: {expect: welcome, id: a.b}\nmessages: {name: [{at: type}]}\n"
        "authentication: {in: query, refused: [{close: nowhere}]}\n",
        encoding="utf-8",
    )
    with pytest.raises(ContractError) as caught:
        load_contract(find_contract(tmp_path))
    assert [one.partition(": ")[2] for one in caught.value.lines] == [
        "authentication.refused[0].close: no close code 'nowhere' in `close_codes`; known: going_away, internal_error, "
        "invalid_utf8, normal, policy, protocol_error, too_large, unsupported_data"
    ]


def test_a_part_of_a_message_is_looked_into_and_nothing_is_said_of_the_rest(tmp_path: Path) -> None:
    """Where the document describes a part, paths beside it lead to what nobody knows."""
    parts = "messages: {name: [{at: '0'}], payload: [{at: '2'}]}\n"
    assert said(tmp_path, f"{parts}requests: [{{name: ask, id: '1', replies: [{{name: told, id: '2.id'}}]}}]\n") == []
    lines = said(tmp_path, f"{parts}requests: [{{name: ask, id: '1', replies: [{{name: told, id: '2.key'}}]}}]\n")
    assert lines == [
        "3:56: requests[0].replies[0].id: the contract has no member 'key' in `2`; known: id, pair, type, in "
        "the message 'told'"
    ]


def test_messages_that_cannot_be_told_apart_are_no_mistake(tmp_path: Path) -> None:
    lines = said(tmp_path, "acknowledgement: {expect: welcome}\n")
    assert lines == []


def test_without_a_document_and_rules_nothing_tells_names(tmp_path: Path) -> None:
    text = "acknowledgement: {expect: welcome}\nheartbeats: [{by: server, ping: ping}]\n"
    (tmp_path / "contract.yaml").write_text(f"format: wsproof.contract/1\n{text}", encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        load_contract(find_contract(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path / 'contract.yaml'}:2:19: acknowledgement.expect: needs an asyncapi.yaml or `messages.name`: "
        "nothing tells the names of messages"
    )


def test_without_a_document_rules_tell_names(tmp_path: Path) -> None:
    text = "acknowledgement: {expect: welcome}\nmessages: {name: [{at: type}]}\n"
    (tmp_path / "contract.yaml").write_text(f"format: wsproof.contract/1\n{text}", encoding="utf-8")
    assert load_contract(find_contract(tmp_path)).name_of({"type": "welcome"}) == "welcome"
