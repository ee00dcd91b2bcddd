// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Recovers the signers of many digests, as the stablecoin does of one
contract ManyRecovered {
    function recover(bytes32[] calldata digests, bytes[] calldata signatures)
        external
        pure
        returns (address[] memory signers)
    {
        signers = new address[](digests.length);
        for (uint256 i = 0; i < digests.length; ++i) {
            signers[i] = ECDSA.recover(digests[i], signatures[i]);
        }
    }
}
