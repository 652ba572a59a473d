"""The weekly report and its audiences at the terminal."""


def test_weekly__nothing_to_report__says_so(type_in):
    assert "nothing to report yet" in type_in("report", "weekly", "--to", "file").output


def test_weekly__dry_run__writes_nothing(type_in, tmp_path):
    week = type_in("report", "show", "--so-far").output.split()[1]
    words = ["report", "weekly", "--week", week, "--folder", str(tmp_path / "out")]

    type_in("journey", "create", "--template", "signup", "--key", "shop", "--name", "Shop")
    told = type_in(*words, "--to", "file", "--dry-run").output

    assert "would write" in told
    assert not (tmp_path / "out").exists()
    type_in(*words, "--to", "file")
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".pdf", ".txt", ".json"}
    assert "comes out the same" in type_in("report", "verify", week).output

    type_in("subscription", "add", "Board", "--recipient", "dora@example.org")
    sent = type_in("report", "weekly", "--week", week, "--to", "email", "--dry-run").output
    assert "would send to dora@example.org" in sent
    assert "DESIRELINE_SMTP_HOST" in type_in("delivery", "test-mail", "a@b.org", code=1).output
