"""EIP-712: the digests that the approver's key signs."""

from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


@dataclass(frozen=True, slots=True)
class Domain:
    """What a signature is good for: one contract on one chain."""

    name: str
    version: str
    chain_id: int
    contract: str

    @property
    def separator(self) -> bytes:
        return keccak(
            encode(
                ["bytes32", "bytes32", "bytes32", "uint256", "address"],
                [
                    keccak(text=_DOMAIN_TYPE),
                    keccak(text=self.name),
                    keccak(text=self.version),
                    self.chain_id,
                    self.contract,
                ],
            )
        )


@dataclass(frozen=True, slots=True)
class Message:
    """A struct whose members are strings and atomic values.

    Attributes:
        type: as EIP-712 writes it, such as ``Mint(string id,address to)``.
    """

    type: str

    @property
    def typehash(self) -> bytes:
        return keccak(text=self.type)

    @property
    def members(self) -> list[str]:
        """The members' types in their order."""
        inside = self.type[self.type.index("(") + 1 : -1]
        return [member.split(" ")[0] for member in inside.split(",")]

    def digest(self, domain: Domain, *values: object) -> bytes:
        """The 32 bytes to sign for these values of the members."""
        types = ["bytes32"]
        encoded: list[object] = [self.typehash]
        for member, value in zip(self.members, values, strict=True):
            if member == "string":
                types.append("bytes32")
                encoded.append(keccak(text=str(value)))
            else:
                types.append(member)
                encoded.append(value)
        return keccak(b"\x19\x01" + domain.separator + keccak(encode(types, encoded)))
