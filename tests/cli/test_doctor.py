"""`t2v doctor` looks at this machine."""


def test_doctor_names_what_it_looked_at(cli):
    result = cli("doctor")
    assert result.code == 0
    names = {line.split("  ")[0] for line in result.out.splitlines()[1:]}
    assert {"versions", "device", "memory", "codecs", "cache", "embedded model"} <= names


def test_doctor_as_json_never_has_the_token(cli, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefghijklmnopqrstuvwx")
    result = cli("doctor", "--json")
    assert {"name", "status", "detail", "fix"} == set(result.json()[0])
    assert "hf_abc" not in result.out + result.err


def test_something_to_fix_exits_with_1(cli, home):
    (home / "config").mkdir()
    (home / "config" / "models.yaml").write_text("models: [")
    result = cli("doctor")
    assert result.code == 1
    assert "configuration" in result.out
