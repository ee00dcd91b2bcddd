"""What moto lacks: a key that outlives the process, and signatures of what is a digest already."""

import threading
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from moto.kms.models import Key, kms_backends
from moto.kms.responses import KmsResponse
from moto.kms.utils import ECDSAPrivateKey

from sandbox.keys import write_private

ACCOUNT = "123456789012"
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

_request = threading.local()


def ensure_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The file's key, which is made if it is absent."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = ec.generate_private_key(ec.SECP256K1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(path, text.decode())
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def install(key_id: str, region: str, private_key: ec.EllipticCurvePrivateKey) -> None:
    """Let moto have the key under its id."""
    key: Any = Key(None, "SIGN_VERIFY", "ECC_SECG_P256K1", "approvals", ACCOUNT, region)  # type: ignore[abstract]
    key.id = key_id
    key.arn = f"arn:aws:kms:{region}:{ACCOUNT}:key/{key_id}"
    key.private_key.private_key = private_key
    kms_backends[ACCOUNT][region].keys[key_id] = key


def sign_digests(always_high_s: Any) -> None:
    """Let moto take a digest for a digest.

    Args:
        always_high_s: called for each signature: whether to give the one with a high s.
    """
    answer, plain = KmsResponse.sign, ECDSAPrivateKey.sign

    def sign_request(self: KmsResponse) -> str:
        _request.is_digest = self._get_param("MessageType") == "DIGEST"
        return answer(self)

    def sign(self: ECDSAPrivateKey, message: bytes, signing_algorithm: str) -> bytes:
        if not getattr(_request, "is_digest", False):
            return plain(self, message, signing_algorithm)
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        signature = self.private_key.sign(message, algorithm)
        return _high_s(signature) if always_high_s() else signature

    KmsResponse.sign = sign_request  # type: ignore[method-assign]
    ECDSAPrivateKey.sign = sign  # type: ignore[method-assign]


def _high_s(signature: bytes) -> bytes:
    r, s = utils.decode_dss_signature(signature)
    return utils.encode_dss_signature(r, max(s, CURVE_ORDER - s))
