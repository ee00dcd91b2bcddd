// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

interface IKycRegistry {
    function isKYCVerified(address account) external view returns (bool);
}

/// @title A stablecoin that is minted and burned by signed approvals only
/// @notice An approver's EIP-712 signature says what may happen, a relayer carries it here. A
/// request is carried out once, for ever; nonces may come in any order.
contract Stablecoin is ERC20, EIP712, AccessControl, Pausable {
    bytes32 public constant APPROVER_ROLE = keccak256("APPROVER_ROLE");
    bytes32 public constant RELAYER_ROLE = keccak256("RELAYER_ROLE");
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    bytes32 public constant FREEZER_ROLE = keccak256("FREEZER_ROLE");

    bytes32 private constant MINT_APPROVAL =
        keccak256("MintApproval(string requestId,address to,uint256 amount,uint256 nonce,uint256 deadline)");
    bytes32 private constant REDEEM_FINALIZE =
        keccak256("RedeemFinalize(string requestId,address from,uint256 amount,uint256 nonce,uint256 deadline)");

    enum RedeemStatus {
        None,
        Pending,
        Finalized,
        Cancelled
    }

    struct Redeem {
        address from;
        uint256 amount;
        RedeemStatus status;
    }

    IKycRegistry public immutable kycRegistry;

    /// @notice The most one mint may be, and the most there may be of the token.
    uint256 public maxPerTransaction;
    uint256 public totalCap;

    /// @notice The least one redeem may be: every redeem costs a signature and gas.
    uint256 public minRedeem;

    /// @notice What lies in this contract for redeems that are not decided.
    uint256 public lockedAmount;

    mapping(bytes32 requestId => bool) private _processed;
    mapping(address account => mapping(uint256 nonce => bool)) private _usedNonces;
    mapping(bytes32 requestId => Redeem) private _redeems;
    mapping(address account => bool) public isFrozen;
    uint256 private _redeemCount;

    event Minted(string requestId, address indexed to, uint256 amount);
    event RedeemRequested(string requestId, address indexed from, uint256 amount);
    event Redeemed(string requestId, address indexed from, uint256 amount);
    event RedeemCancelled(string requestId, address indexed from, uint256 amount);
    event FrozenChanged(address indexed account, bool frozen);
    event CapsChanged(uint256 maxPerTransaction, uint256 totalCap);
    event MinRedeemChanged(uint256 minRedeem);

    error RequestAlreadyProcessed(string requestId);
    error RequestNamesRedeem(string requestId);
    error NonceAlreadyUsed(address account, uint256 nonce);
    error ApprovalExpired(uint256 deadline);
    error InvalidApproval(address signer);
    error NotVerified(address account);
    error AccountFrozen(address account);
    error ZeroAmount();
    error TransactionCapExceeded(uint256 amount, uint256 cap);
    error TotalCapExceeded(uint256 amount, uint256 left);
    error RedeemTooSmall(uint256 amount, uint256 least);
    error RedeemNotPending(string requestId);
    error RedeemMismatch(string requestId);
    error NotARedeem(address from, uint256 amount);

    constructor(
        address admin,
        address approver,
        address relayer,
        address registry,
        uint256 maxPerTransaction_,
        uint256 totalCap_
    ) ERC20("Fairlane Dollar", "FUSD") EIP712("Stablecoin", "1") {
        kycRegistry = IKycRegistry(registry);
        maxPerTransaction = maxPerTransaction_;
        totalCap = totalCap_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(PAUSER_ROLE, admin);
        _grantRole(FREEZER_ROLE, admin);
        _grantRole(APPROVER_ROLE, approver);
        _grantRole(RELAYER_ROLE, relayer);
    }

    /// @notice Mint what an approver has signed for. A mint does not take a redeem's name: that
    /// redeem could not be finalized any more.
    function mintWithApproval(
        string calldata requestId,
        address to,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external whenNotPaused onlyRole(RELAYER_ROLE) {
        if (amount == 0) revert ZeroAmount();
        if (amount > maxPerTransaction) revert TransactionCapExceeded(amount, maxPerTransaction);
        // The cap may have been lowered below what there is, and amounts may be near 2^256.
        uint256 left = Math.saturatingSub(totalCap, totalSupply());
        if (amount > left) revert TotalCapExceeded(amount, left);
        if (_redeems[keccak256(bytes(requestId))].status != RedeemStatus.None) revert RequestNamesRedeem(requestId);
        _use(MINT_APPROVAL, requestId, to, amount, nonce, deadline, signature);
        _mint(to, amount);
        emit Minted(requestId, to, amount);
    }

    /// @notice Give tokens up for money; they lie in this contract until that is decided.
    /// @return requestId A name no mint and no other redeem has, on this chain or another, nor after
    /// a reorganisation that puts another redeem in its place.
    function requestRedeem(uint256 amount) external whenNotPaused returns (string memory requestId) {
        if (amount == 0) revert ZeroAmount();
        if (amount < minRedeem) revert RedeemTooSmall(amount, minRedeem);
        address from = _msgSender();
        uint256 balance = balanceOf(from);
        if (amount > balance) revert ERC20InsufficientBalance(from, balance, amount);
        bytes32 key;
        // Names can be foretold: one that a mint has taken could never be finalized.
        do {
            bytes32 name = keccak256(abi.encode(block.chainid, address(this), from, amount, ++_redeemCount));
            requestId = Strings.toHexString(uint256(name), 32);
            key = keccak256(bytes(requestId));
        } while (_processed[key]);
        _redeems[key] = Redeem(from, amount, RedeemStatus.Pending);
        lockedAmount += amount;
        _transfer(from, address(this), amount);
        emit RedeemRequested(requestId, from, amount);
    }

    /// @notice Burn what was given up, once an approver has signed that the money is on its way.
    /// A holder who was frozen meanwhile has to wait: a burn cannot be undone, a delay can.
    function finalizeRedeem(
        string calldata requestId,
        address from,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external whenNotPaused onlyRole(RELAYER_ROLE) {
        Redeem storage redeem = _pending(requestId);
        if (redeem.from != from || redeem.amount != amount) revert RedeemMismatch(requestId);
        if (isFrozen[from]) revert AccountFrozen(from);
        _use(REDEEM_FINALIZE, requestId, from, amount, nonce, deadline, signature);
        redeem.status = RedeemStatus.Finalized;
        lockedAmount -= amount;
        _burn(address(this), amount);
        emit Redeemed(requestId, from, amount);
    }

    /// @notice Give back what was given up. Frozen and unknown holders get theirs too: on their
    /// accounts it can be moved as little as here, and nothing stays behind that nobody can free.
    function cancelRedeem(string calldata requestId) external onlyRole(APPROVER_ROLE) {
        Redeem storage redeem = _pending(requestId);
        redeem.status = RedeemStatus.Cancelled;
        lockedAmount -= redeem.amount;
        _transfer(address(this), redeem.from, redeem.amount);
        emit RedeemCancelled(requestId, redeem.from, redeem.amount);
    }

    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    function unpause() external onlyRole(PAUSER_ROLE) {
        _unpause();
    }

    function setFrozen(address account, bool frozen) external onlyRole(FREEZER_ROLE) {
        isFrozen[account] = frozen;
        emit FrozenChanged(account, frozen);
    }

    function setCaps(uint256 maxPerTransaction_, uint256 totalCap_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        maxPerTransaction = maxPerTransaction_;
        totalCap = totalCap_;
        emit CapsChanged(maxPerTransaction_, totalCap_);
    }

    function setMinRedeem(uint256 minRedeem_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        minRedeem = minRedeem_;
        emit MinRedeemChanged(minRedeem_);
    }

    /// @notice Whether a mint or a redeem of this name was carried out.
    function isProcessed(string calldata requestId) external view returns (bool) {
        return _processed[keccak256(bytes(requestId))];
    }

    function isNonceUsed(address account, uint256 nonce) external view returns (bool) {
        return _usedNonces[account][nonce];
    }

    function redeemRequest(string calldata requestId)
        external
        view
        returns (address from, uint256 amount, RedeemStatus status)
    {
        Redeem storage redeem = _redeems[keccak256(bytes(requestId))];
        return (redeem.from, redeem.amount, redeem.status);
    }

    /// @dev Checks an approval and uses it up.
    function _use(
        bytes32 typeHash,
        string calldata requestId,
        address account,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) private {
        bytes32 name = keccak256(bytes(requestId));
        if (_processed[name]) revert RequestAlreadyProcessed(requestId);
        if (_usedNonces[account][nonce]) revert NonceAlreadyUsed(account, nonce);
        if (block.timestamp > deadline) revert ApprovalExpired(deadline);
        bytes32 words = keccak256(abi.encode(typeHash, name, account, amount, nonce, deadline));
        address signer = ECDSA.recover(_hashTypedDataV4(words), signature);
        if (!hasRole(APPROVER_ROLE, signer)) revert InvalidApproval(signer);
        _processed[name] = true;
        _usedNonces[account][nonce] = true;
    }

    function _pending(string calldata requestId) private view returns (Redeem storage redeem) {
        redeem = _redeems[keccak256(bytes(requestId))];
        if (redeem.status != RedeemStatus.Pending) revert RedeemNotPending(requestId);
    }

    /// @dev Frozen and unknown accounts neither send nor receive. What leaves this contract was
    /// decided when it came in, and nothing comes in but what is locked: it could never leave.
    function _update(address from, address to, uint256 value) internal override whenNotPaused {
        if (from != address(this)) {
            _checkAccount(from);
            _checkAccount(to);
        }
        super._update(from, to, value);
        if (to == address(this) && balanceOf(to) != lockedAmount) revert NotARedeem(from, value);
    }

    /// @dev Who is frozen does not move the tokens of others either.
    function _spendAllowance(address owner, address spender, uint256 value) internal override {
        if (isFrozen[spender]) revert AccountFrozen(spender);
        super._spendAllowance(owner, spender, value);
    }

    function _checkAccount(address account) private view {
        if (account == address(0) || account == address(this)) return;
        if (isFrozen[account]) revert AccountFrozen(account);
        if (!kycRegistry.isKYCVerified(account)) revert NotVerified(account);
    }
}
