"""Files and arguments in any language, whatever the locale says; files as Windows editors write them."""

import json
from pathlib import Path

import pytest

from tests.conformance.servers import raw_server, read_request
from tests.reports import builder
from tests.slow import slow_but
from tests.wsproof.command import read, wsproof

LOCALES = {
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "strict": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"},
    "utf-8": {"LC_ALL": "C.UTF-8"},
}


@pytest.mark.parametrize("locale", slow_but(["strict"], LOCALES))
def test_a_comparison_of_folders(locale: str, tmp_path: Path) -> None:
    for name in ("前", "後"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(json.dumps(builder.results()), encoding="utf-8")
        (tmp_path / name / "report.html").write_text("", encoding="utf-8")
    options = ("--output", "報告", "--format", "markdown", "--format", "text")
    done = wsproof("compare", "前", "後", *options, folder=tmp_path, **LOCALES[locale])
    assert (done.returncode, done.stderr) == (0, "")
    runs = read(tmp_path / "報告" / "comparison.json")["runs"]
    assert [one["name"] for one in runs] == ["前", "後"]
    assert [one["page"] for one in runs] == ["../%E5%89%8D/report.html", "../%E5%BE%8C/report.html"]
    assert "後" in (tmp_path / "報告" / "comparison.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("locale", slow_but(["strict"], LOCALES))
def test_a_check(locale: str, tmp_path: Path) -> None:
    heads = []
    with raw_server(lambda connection: heads.append(read_request(connection))) as url:
        (tmp_path / "設定.yaml").write_bytes(b"\xef\xbb\xbf" + f"endpoint: {url}\r\nack_timeout: 1\r\n".encode())
        options = ("--profile", "設定.yaml", "--select", "CONN-01", "--output", "報告", "--json", "日本.json", "-q")
        done = wsproof("check", f"{url}?room=a%20b&name=日本", *options, folder=tmp_path, **LOCALES[locale])
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    document = read(tmp_path / "日本.json")
    assert document["settings"]["profile"] == "設定.yaml"
    assert document["endpoint"] == f"{url}?room=a%20b&name=日本"
    sent = b"GET /v1/socket?room=a%20b&name=%E6%97%A5%E6%9C%AC"
    assert any(head.startswith(sent + b"&access_token=") for head in heads)


@pytest.mark.parametrize("locale", slow_but(["strict"], LOCALES))
def test_a_load_test(locale: str, tmp_path: Path) -> None:
    (tmp_path / "鍵.txt").write_bytes(b"\xef\xbb\xbfload-1\r\nload-2\r\n")
    options = ("--users", "2", "--time", "1s", "--tokens-file", "鍵.txt", "--output", "報告", "-q")
    done = wsproof("load", *options, folder=tmp_path, **LOCALES[locale])
    assert done.returncode == 0, done.stdout + done.stderr
    assert read(tmp_path / "報告" / "load.json")["errors"] == []


@pytest.mark.slow
def test_files_with_a_byte_order_mark(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    own = "format: wsproof.baseline/1\r\nentries: []\r\n"
    (tmp_path / "baseline.yaml").write_bytes(mark + own.encode())
    folder = Path(__file__).resolve().parents[2] / "spec" / "chat" / "scenarios"
    text = next(folder.glob("conn*.yaml")).read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "mine.yaml").write_bytes(mark + text)
    done = wsproof("lint", "mine.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    options = ("--only-scenarios", "mine.yaml", "--select", "CONN-01", "--baseline", "baseline.yaml", "-q")
    done = wsproof("check", *options, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
