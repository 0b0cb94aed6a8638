"""The doctor looks and says, and changes nothing."""

import t2v


def test_every_part_of_the_machine_is_looked_at():
    names = [check.name for check in t2v.doctor()]

    assert names == [
        "versions",
        "device",
        "memory",
        "codecs",
        "cache",
        "output",
        "configuration",
        "hub",
        "embedded model",
    ]


def test_a_token_is_said_to_be_there_and_never_shown(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_canarycanarycanarycanary")

    details = [check.detail for check in t2v.doctor()]

    assert any("token present" in detail for detail in details)
    assert not any("canary" in detail for detail in details)


def test_a_broken_configuration_is_a_finding(home):
    (home / "config").mkdir()
    (home / "config" / "config.yaml").write_text("width: [")

    findings = {check.name: check for check in t2v.doctor()}

    assert findings["configuration"].status == "fail"
    assert "config.yaml:2:1: not YAML" in findings["configuration"].detail
