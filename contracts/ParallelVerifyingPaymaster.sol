// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// ERC-4337's operation as EntryPoint v0.7 and later pack it.
struct PackedUserOperation {
    address sender;
    uint256 nonce;
    bytes initCode;
    bytes callData;
    bytes32 accountGasLimits;
    uint256 preVerificationGas;
    bytes32 gasFees;
    bytes paymasterAndData;
    bytes signature;
}

interface IEntryPoint {
    function getUserOpHash(PackedUserOperation calldata userOp) external view returns (bytes32);
    function depositTo(address account) external payable;
    function withdrawTo(address payable recipient, uint256 amount) external;
    function addStake(uint32 unstakeDelaySec) external payable;
    function unlockStake() external;
    function withdrawStake(address payable recipient) external;
}

/**
 * A paymaster of EntryPoint v0.9 whose signature is made while the account signs.
 *
 * v0.9's userOpHash covers paymasterAndData up to an appended paymaster signature, and the magic
 * behind it, but neither the signature nor its length. So both can sign as soon as the
 * operation is complete but for signatures, in any order, and the hash is the same to both.
 *
 *   paymasterAndData = paymaster (20) | verification gas (16) | postOp gas (16)
 *                    | validUntil (6) | validAfter (6)
 *                    | signature (65) | 0x0041 | 0x22e325a297439656
 *
 * What the signer signs is the userOpHash as a personal message (EIP-191): the account signs the
 * bare hash, so no signature can stand for the other's. The hash names chain, EntryPoint,
 * paymaster, gas limits, fees and validity; an operation's nonce makes it good once.
 */
contract ParallelVerifyingPaymaster {
    uint256 private constant TIMES = 52;
    uint256 private constant SIGNATURE = 64;
    uint256 private constant SUFFIX = 129;
    uint256 private constant LENGTH = 139;
    bytes10 private constant SUFFIX_65 = 0x004122e325a297439656;

    uint256 private constant SIG_VALIDATION_FAILED = 1;
    uint256 private constant HALF_ORDER =
        0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    IEntryPoint public immutable entryPoint;
    address public immutable owner;
    address public verifyingSigner;

    event VerifyingSignerChanged(address indexed signer);

    error NotEntryPoint();
    error NotOwner();
    error ZeroSigner();
    /// paymasterAndData is not of the form above.
    error MalformedPaymasterData();

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner();
        _;
    }

    constructor(IEntryPoint entryPoint_, address owner_, address signer) {
        entryPoint = entryPoint_;
        owner = owner_;
        _setSigner(signer);
    }

    /// Operations that the old signer sponsored and that are not mined yet fail from here on.
    function setVerifyingSigner(address signer) external onlyOwner {
        _setSigner(signer);
    }

    /// The hash behind the personal message that the signer signs. The signature in
    /// paymasterAndData may be any 65 bytes.
    function getHash(PackedUserOperation calldata userOp) external view returns (bytes32) {
        _requireForm(userOp.paymasterAndData);
        return entryPoint.getUserOpHash(userOp);
    }

    /// Called by the EntryPoint. A wrong signature is told, not reverted on, so that gas can be
    /// estimated with a dummy.
    function validatePaymasterUserOp(
        PackedUserOperation calldata userOp,
        bytes32 userOpHash,
        uint256
    ) external view returns (bytes memory context, uint256 validationData) {
        if (msg.sender != address(entryPoint)) revert NotEntryPoint();
        bytes calldata data = userOp.paymasterAndData;
        _requireForm(data);
        uint256 validUntil = uint48(bytes6(data[TIMES:TIMES + 6]));
        uint256 validAfter = uint48(bytes6(data[TIMES + 6:SIGNATURE]));
        bool good = _recover(userOpHash, data[SIGNATURE:SUFFIX]) == verifyingSigner;
        validationData =
            (good ? 0 : SIG_VALIDATION_FAILED) | (validUntil << 160) | (validAfter << 208);
        // no context: the EntryPoint then makes no call of postOp
        return ("", validationData);
    }

    function deposit() external payable {
        entryPoint.depositTo{value: msg.value}(address(this));
    }

    function withdrawTo(address payable recipient, uint256 amount) external onlyOwner {
        entryPoint.withdrawTo(recipient, amount);
    }

    function addStake(uint32 unstakeDelaySec) external payable onlyOwner {
        entryPoint.addStake{value: msg.value}(unstakeDelaySec);
    }

    function unlockStake() external onlyOwner {
        entryPoint.unlockStake();
    }

    function withdrawStake(address payable recipient) external onlyOwner {
        entryPoint.withdrawStake(recipient);
    }

    // Zero is what a failed recovery gives, so it must never be the signer.
    function _setSigner(address signer) private {
        if (signer == address(0)) revert ZeroSigner();
        verifyingSigner = signer;
        emit VerifyingSignerChanged(signer);
    }

    function _requireForm(bytes calldata data) private pure {
        if (data.length != LENGTH || bytes10(data[SUFFIX:]) != SUFFIX_65)
            revert MalformedPaymasterData();
    }

    function _recover(bytes32 userOpHash, bytes calldata signature) private pure returns (address) {
        bytes32 digest =
            keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", userOpHash));
        bytes32 s = bytes32(signature[32:64]);
        // the other s of a signature is refused, as OpenZeppelin's library does
        if (uint256(s) > HALF_ORDER) return address(0);
        return ecrecover(digest, uint8(signature[64]), bytes32(signature[:32]), s);
    }
}
