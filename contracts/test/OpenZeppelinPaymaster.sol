// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    PaymasterSigner,
    EIP712
} from "@openzeppelin/contracts/account/paymaster/extensions/PaymasterSigner.sol";
import {SignerECDSA} from "@openzeppelin/contracts/utils/cryptography/signers/SignerECDSA.sol";
import {IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";

/**
 * OpenZeppelin's abstract PaymasterSigner, made concrete for tests: it has an ECDSA signer, and
 * shows the hash that the library computes inside.
 */
contract OpenZeppelinPaymaster is PaymasterSigner, SignerECDSA {
    IEntryPoint private immutable _entryPoint;

    constructor(IEntryPoint entryPoint_, address signer)
        EIP712("OpenZeppelinPaymaster", "1")
        SignerECDSA(signer)
    {
        _entryPoint = entryPoint_;
    }

    function entryPoint() public view override returns (IEntryPoint) {
        return _entryPoint;
    }

    /// The times are read from paymasterAndData, as at validation.
    function getHash(PackedUserOperation calldata userOp) external view returns (bytes32) {
        (uint48 validAfter, uint48 validUntil,) = _decodePaymasterUserOp(userOp);
        return _signableUserOpHash(userOp, validAfter, validUntil);
    }

    function deposit() external payable {
        _deposit(msg.value);
    }
}
