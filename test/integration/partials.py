"""The asker's side of partials in plain Python: a second implementation, so that the daemons are not tested with their own code.

    asked = Question(group_state, requester="proxy", purpose="unseal")
    parts = {1: asked.opened(1, answer_1), 3: asked.opened(3, answer_3)}
    assert combined(parts) == times(asked.secret, public_key)
"""

import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
HPKE_SUITE = b"HPKE" + bytes.fromhex("0010" "0001" "0002")  # DHKEM(P-256), HKDF-SHA256, AES-256-GCM
KEM_SUITE = b"KEM" + bytes.fromhex("0010")


def add(left, right):
    """Sum of two points; None is infinity."""
    if left is None or right is None:
        return left or right
    if left[0] == right[0]:
        if (left[1] + right[1]) % P == 0:
            return None
        slope = (3 * left[0] * left[0] - 3) * pow(2 * left[1], -1, P) % P
    else:
        slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, P) % P
    x = (slope * slope - left[0] - right[0]) % P
    return x, (slope * (left[0] - x) - left[1]) % P


def times(scalar, point):
    result = None
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def uncompressed(point):
    return b"\4" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def point_of(data):
    """Of either form of SEC 1."""
    x = int.from_bytes(data[1:33], "big")
    if data[0] == 4:
        return x, int.from_bytes(data[33:], "big")
    y = pow(x * x * x - 3 * x + B, (P + 1) // 4, P)
    return x, y if y % 2 == data[0] - 2 else P - y


def prefixed(*parts):
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def number(value):
    return value.to_bytes(4, "big")


def extract(salt, key):
    return hmac.new(salt, key, hashlib.sha256).digest()


def expand(key, info, size):
    out, block, count = b"", b"", 1
    while len(out) < size:
        block = hmac.new(key, block + info + bytes([count]), hashlib.sha256).digest()
        out, count = out + block, count + 1
    return out[:size]


def hpke_open(secret, info, sealed):
    """RFC 9180, base mode, no AAD."""
    own = uncompressed(times(secret, G))
    shared = times(secret, point_of(sealed[:65]))[0].to_bytes(32, "big")

    def labelled(suite, label, key, salt=b""):
        return extract(salt, b"HPKE-v1" + suite + label + key)

    def drawn(suite, key, label, about, size):
        return expand(key, size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + about, size)

    secret_of_kem = drawn(KEM_SUITE, labelled(KEM_SUITE, b"eae_prk", shared), b"shared_secret", sealed[:65] + own, 32)
    context = b"\0" + labelled(HPKE_SUITE, b"psk_id_hash", b"") + labelled(HPKE_SUITE, b"info_hash", info)
    root = labelled(HPKE_SUITE, b"secret", b"", secret_of_kem)
    key = drawn(HPKE_SUITE, root, b"key", context, 32)
    nonce = drawn(HPKE_SUITE, root, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, sealed[65:], b"")


class Question:
    """One request for partials of a point whose logarithm the test knows."""

    def __init__(self, group, epoch=0, requester="proxy", purpose="unseal"):
        self.secret = secrets.randbelow(N - 1) + 1
        self.reply = secrets.randbelow(N - 1) + 1
        self.bytes = prefixed(b"pgveil/1 partial request", group, number(epoch), uncompressed(times(self.secret, G)),
                              requester.encode(), purpose.encode(), secrets.token_bytes(16),
                              uncompressed(times(self.reply, G)))

    def opened(self, index, sealed):
        """The point in a member's answer."""
        info = prefixed(b"pgveil/1 partial answer", hashlib.sha256(self.bytes).digest(), number(index))
        plain = hpke_open(self.reply, info, sealed)
        if int.from_bytes(plain[:4], "big") != index:
            raise AssertionError("the answer is of another member")
        return point_of(plain[4:37])


def combined(parts):
    """Lagrange at 0 in the exponent, over {index: point}."""
    total = None
    for index, part in parts.items():
        factor = 1
        for other in parts:
            if other != index:
                factor = factor * other * pow(other - index, -1, N) % N
        total = add(total, times(factor, part))
    return total
