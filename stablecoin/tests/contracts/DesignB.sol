// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title What tests speak to as a contract of profile B
/// @notice An account's mints are numbered. A redeem is asked for without a burn; finalizing burns.
contract DesignB is ERC20, EIP712, AccessControl {
    bytes32 public constant APPROVER_ROLE = keccak256("APPROVER_ROLE");
    bytes32 private constant MINT_APPROVAL = keccak256(
        "MintApproval(address to,uint256 amount,uint256 nonce,uint64 expiry,uint256 chainId,bytes32 requestId)"
    );
    bytes32 private constant REDEEM_FINALIZE =
        keccak256("RedeemFinalize(bytes32 requestId,address account,uint256 amount,uint64 expiry,string bankRef)");

    mapping(address account => uint256) public nonces;
    mapping(bytes32 requestId => bytes32) private _asked;

    event MintWithApproval(address indexed to, uint256 amount, uint256 nonce, bytes32 requestId);
    event RedeemRequested(bytes32 indexed requestId, address indexed account, uint256 amount);
    event RedeemFinalized(bytes32 indexed requestId, address indexed account, uint256 amount, string bankRef);

    constructor(address approver) ERC20("Design B", "B") EIP712("Design B", "1") {
        _grantRole(APPROVER_ROLE, approver);
    }

    function mintWithApproval(
        address to,
        uint256 amount,
        uint256 nonceVal,
        uint64 expiry,
        uint256 chainId,
        bytes32 requestId,
        bytes calldata signature
    ) external {
        require(block.timestamp <= expiry && chainId == block.chainid, "expired or elsewhere");
        require(nonceVal == nonces[to]++, "not the account's next nonce");
        _check(keccak256(abi.encode(MINT_APPROVAL, to, amount, nonceVal, expiry, chainId, requestId)), signature);
        _mint(to, amount);
        emit MintWithApproval(to, amount, nonceVal, requestId);
    }

    function requestRedeem(bytes32 requestId, uint256 amount) external {
        require(_asked[requestId] == 0 && balanceOf(msg.sender) >= amount, "asked for before, or too much");
        _asked[requestId] = keccak256(abi.encode(msg.sender, amount));
        emit RedeemRequested(requestId, msg.sender, amount);
    }

    function finalizeRedeem(
        bytes32 requestId,
        address account,
        uint256 amount,
        uint64 expiry,
        string calldata bankRef,
        bytes calldata signature
    ) external {
        require(block.timestamp <= expiry, "expired");
        require(bytes(bankRef).length != 0, "the bank's reference is missing");
        require(_asked[requestId] == keccak256(abi.encode(account, amount)), "nobody asked for it");
        bytes32 bank = keccak256(bytes(bankRef));
        _check(keccak256(abi.encode(REDEEM_FINALIZE, requestId, account, amount, expiry, bank)), signature);
        _asked[requestId] = bytes32(uint256(1));
        _burn(account, amount);
        emit RedeemFinalized(requestId, account, amount, bankRef);
    }

    function _check(bytes32 words, bytes calldata signature) private view {
        require(hasRole(APPROVER_ROLE, ECDSA.recover(_hashTypedDataV4(words), signature)), "not approved");
    }
}
