"""Objects of S3 are asked for with the requester's signature, and come the same way as any other file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from botocore.session import Session
from moto.server import ThreadedMotoServer

from pile.document import Input
from pile.errors import FetchError

BODY = b"some words of a file\n" * 50
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(autouse=True)
def nobodys_machine(monkeypatch, tmp_path):
    """No credentials from this machine's owner, and no search for those of a machine in the cloud."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "DEFAULT_REGION", "ENDPOINT_URL",
                 "ENDPOINT_URL_S3", "CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):  # fmt: skip
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def credentials(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def moto(monkeypatch, credentials):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    yield Session().create_client("s3", endpoint_url=f"http://{host}:{port}")
    server.stop()


def test_an_object_is_read_measured_and_downloaded(moto, make_upstream, tmp_path):
    moto.create_bucket(Bucket="papers")
    for key in ("src/a.txt", "src/odd name+é%20.txt"):
        moto.put_object(Bucket="papers", Key=key, Body=BODY)
        url = f"s3://papers/{key}"
        assert make_upstream().size(url) == len(BODY)
        assert make_upstream().read(url) == BODY
        pinned = Input(url, len(BODY), "md5:" + hashlib.md5(BODY).hexdigest())
        assert Path(make_upstream().download(pinned, tmp_path / "folder").path).read_bytes() == BODY


def test_an_object_that_is_not_there_ends_clearly(moto, make_upstream, clear):
    moto.create_bucket(Bucket="empty")
    with pytest.raises(FetchError) as caught:
        make_upstream().read("s3://empty/src/a.txt")
    clear(caught.value, "s3://empty/src/a.txt: 404", "NoSuchKey")


def test_a_request_is_signed_by_a_requester_who_pays(server, make_upstream, credentials, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    server.files["/papers/a.bin"] = BODY
    server.fail("/papers/a.bin", server.reset(100))
    got = make_upstream().download(Input("s3://papers/a.bin"), tmp_path / "folder")
    assert Path(got.path).read_bytes() == BODY
    first, second = server.asked("/papers/a.bin")
    assert second["Range"] == "bytes=100-"
    for headers in (first, second):
        assert headers["x-amz-request-payer"] == "requester"
        assert headers["X-Amz-Security-Token"] == "token"
        assert "Credential=AKIDEXAMPLE/" in headers["Authorization"]
        assert "/us-east-1/s3/aws4_request" in headers["Authorization"]
        assert "x-amz-request-payer" in headers["Authorization"]
        assert headers["Host"] == server.host


def test_without_credentials_one_line_says_what_to_set(make_upstream, tmp_path, clear):
    with pytest.raises(FetchError) as caught:
        make_upstream().download(Input("s3://papers/a.bin"), tmp_path / "folder")
    clear(caught.value, "s3://papers/a.bin", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "bills")


def test_credentials_that_cannot_be_used_are_said_in_one_line(make_upstream, monkeypatch, clear):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(FetchError) as caught:
        make_upstream().read("s3://papers/a.bin")
    clear(caught.value, "s3://papers/a.bin", "nobody")


def test_credentials_of_a_profile_are_found(server, make_upstream, monkeypatch, tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("[lab]\naws_access_key_id = AKIDLAB\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_PROFILE", "lab")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    server.files["/papers/a.bin"] = BODY
    assert make_upstream().read("s3://papers/a.bin") == BODY
    assert "Credential=AKIDLAB/" in server.asked("/papers/a.bin")[0]["Authorization"]


def test_a_refusal_is_explained_by_the_advice_for_its_bucket(server, make_upstream, credentials, monkeypatch, clear):
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    server.fail("/papers/a.bin", server.status(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"))
    with pytest.raises(FetchError) as caught:
        make_upstream(advice={"s3://papers": "the requester pays; allow s3:GetObject"}).read("s3://papers/a.bin")
    clear(caught.value, "s3://papers/a.bin: 403", "SignatureDoesNotMatch", "the requester pays")


@pytest.mark.parametrize("code", [400, 301, 307])
def test_a_bucket_of_another_region_is_asked_again_with_that_regions_signature(
    server, make_upstream, credentials, monkeypatch, code
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    server.files["/papers/a.bin"] = BODY
    wrong = server.status(code, x_amz_bucket_region="eu-west-9", Location="/elsewhere")
    server.fail("/papers/a.bin", wrong)
    upstream = make_upstream()
    assert upstream.read("s3://papers/a.bin") == BODY
    assert "/eu-west-9/s3/aws4_request" in server.asked("/papers/a.bin")[1]["Authorization"]
    server.fail("/papers/a.bin", wrong, wrong)
    with pytest.raises(FetchError):
        upstream.read("s3://papers/a.bin")
    assert server.asked("/elsewhere") == []
