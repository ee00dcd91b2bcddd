// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable2Step, Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title What tests speak to as a contract of profile C
/// @notice Mints as in profile B, by the relayer and once each. Who redeems burns at once.
contract DesignC is ERC20, EIP712, Ownable2Step {
    bytes32 private constant MINT_APPROVAL = keccak256(
        "MintApproval(address to,uint256 amount,uint256 nonce,uint64 expiry,uint256 chainId,bytes32 requestId)"
    );

    address public immutable relayer;
    mapping(address signer => bool) public hsmSigners;
    mapping(bytes32 requestId => bool) public mintProcessed;
    mapping(address account => uint256) public nonces;

    event MintWithApproval(address indexed to, uint256 amount, uint256 nonce, bytes32 requestId);
    event RedeemRequested(address indexed account, uint256 amount);

    modifier onlyRelayer() {
        require(msg.sender == relayer, "not the relayer");
        _;
    }

    constructor(address signer, address relayer_) ERC20("Design C", "C") EIP712("Design C", "1") Ownable(msg.sender) {
        hsmSigners[signer] = true;
        relayer = relayer_;
    }

    function mintWithApproval(
        address to,
        uint256 amount,
        uint256 nonceVal,
        uint64 expiry,
        uint256 chainId,
        bytes32 requestId,
        bytes calldata signature
    ) external onlyRelayer {
        require(block.timestamp <= expiry && chainId == block.chainid, "expired or elsewhere");
        require(nonceVal == nonces[to]++, "not the account's next nonce");
        require(!mintProcessed[requestId], "minted before");
        bytes32 words = keccak256(abi.encode(MINT_APPROVAL, to, amount, nonceVal, expiry, chainId, requestId));
        require(hsmSigners[ECDSA.recover(_hashTypedDataV4(words), signature)], "not approved");
        mintProcessed[requestId] = true;
        _mint(to, amount);
        emit MintWithApproval(to, amount, nonceVal, requestId);
    }

    function requestRedeem(uint256 amount) external {
        _burn(msg.sender, amount);
        emit RedeemRequested(msg.sender, amount);
    }
}
