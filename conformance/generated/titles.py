"""The titles of generated scenarios, in English and in Japanese."""

from collections.abc import Mapping

TITLES: Mapping[str, tuple[str, str]] = {
    "connects": ("The endpoint accepts a connection", "エンドポイントは接続を受け入れる"),
    "refused-without-credentials": (
        "A handshake without credentials is refused",
        "認証情報のないハンドシェイクは拒否される",
    ),
    "acknowledged": (
        "Each connection is acknowledged, first and once",
        "接続ごとに、最初に 1 回だけ確認応答が送られる",
    ),
    "early": ("A message before the acknowledgement", "確認応答より前のメッセージ"),
    "overdue": ("A client that does not ask for its acknowledgement", "確認応答を求めないクライアント"),
    "again": ("A client that asks for its acknowledgement again", "確認応答を再び求めるクライアント"),
    "heartbeats": ("The server sends heartbeats in its interval", "サーバーは所定の間隔でハートビートを送る"),
    "heartbeats-answered": (
        "A client that answers heartbeats stays connected",
        "ハートビートに応答するクライアントの接続は維持される",
    ),
    "heartbeats-unanswered": (
        "A client that does not answer heartbeats is closed",
        "ハートビートに応答しないクライアントの接続は閉じられる",
    ),
    "client-heartbeat": (
        "The server answers the client's heartbeat {name}",
        "サーバーはクライアントのハートビート {name} に応答する",
    ),
    "answer": ("The example of {name} is answered", "{name} の例に応答が返る"),
    "not-json": ("A text that is not JSON", "JSON でないテキスト"),
    "malformed": ("JSON that is not a message", "メッセージの形式でない JSON"),
    "binary": ("A binary message", "バイナリメッセージ"),
    "unknown-name": ("A message with an unknown name", "未知の名前のメッセージ"),
    "other-direction": ("{name}, which only servers send", "サーバーだけが送る {name}"),
    "missing": ("{name} without {member}", "{member} のない {name}"),
    "type": ("{name} with {member} of another type", "{member} の型が異なる {name}"),
}
"""By the kind of scenario."""


def titles(kind: str, name: str = "", member: str = "") -> tuple[str, str]:
    """The titles of a scenario about a message, or a member of it."""
    english, japanese = (one.format(name=f"`{name}`", member=f"`{member}`") for one in TITLES[kind])
    return english, japanese
