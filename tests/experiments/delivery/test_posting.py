"""No address that somebody types in leads to a machine of ours."""

import pytest

from experiments.delivery.posting import post
from experiments.errors import NotDeliveredError

PRIVATE = (
    "127.0.0.1",
    "10.0.0.8",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::a00:1]",
    "[2002:7f00:1::]",
    "[fd00::1]",
    "2130706433",
    "localhost",
)


@pytest.mark.parametrize("host", PRIVATE)
def test_post__private_address__is_refused_before_anything_is_sent(host):
    with pytest.raises(NotDeliveredError, match=r"not a public address|cannot be found"):
        post(f"http://{host}:9/", b"{}", {})


def test_post__listed_host__may_be_private(receiver):
    post(receiver.url, b"{}", {}, internal_hosts={"127.0.0.1"})

    assert [body for _, body in receiver.came] == ["{}"]


def test_post__nobody_listens__says_so(receiver):
    receiver.close()

    with pytest.raises(NotDeliveredError, match="did not answer"):
        post(receiver.url, b"{}", {}, internal_hosts={"127.0.0.1"})
