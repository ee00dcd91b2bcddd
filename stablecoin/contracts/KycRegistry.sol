// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @title Who was identified
/// @notice The compliance side writes, the stablecoin and anyone else reads.
contract KycRegistry is Ownable {
    mapping(address account => bool) private _verified;

    event VerificationChanged(address indexed account, bool verified);

    constructor(address owner) Ownable(owner) {}

    /// @notice Say of many accounts at once whether they were identified.
    function setVerified(address[] calldata accounts, bool verified) external onlyOwner {
        for (uint256 i = 0; i < accounts.length; ++i) {
            _verified[accounts[i]] = verified;
            emit VerificationChanged(accounts[i], verified);
        }
    }

    function isKYCVerified(address account) external view returns (bool) {
        return _verified[account];
    }

    function batchIsKYCVerified(address[] calldata accounts) external view returns (bool[] memory verified) {
        verified = new bool[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            verified[i] = _verified[accounts[i]];
        }
    }
}
