// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Eip7702Support} from "@account-abstraction/contracts-v0.8/core/Eip7702Support.sol";
import {
    PackedUserOperation
} from "@account-abstraction/contracts-v0.8/interfaces/PackedUserOperation.sol";

interface ISingletonPaymasterV7 {
    function getHash(uint8 mode, PackedUserOperation calldata userOp)
        external
        view
        returns (bytes32);
}

/**
 * The hash of Pimlico's SingletonPaymasterV8, which no package has compiled: our own rendering of
 * its published source. That contract is V7 with V7's hash wrapped together with EIP-7702's
 * override; here, V7's part is asked of the package's own V7 (whose hash does not depend on its
 * address), and the override comes from eth-infinitism's library for v0.8, of which Pimlico's
 * is a copy.
 */
contract SingletonV8Hash {
    ISingletonPaymasterV7 private immutable _v7;

    constructor(ISingletonPaymasterV7 v7) {
        _v7 = v7;
    }

    function getHash(uint8 mode, PackedUserOperation calldata userOp)
        external
        view
        returns (bytes32)
    {
        bytes32 initCodeOverride = Eip7702Support._getEip7702InitCodeHashOverride(userOp);
        return keccak256(abi.encode(_v7.getHash(mode, userOp), initCodeOverride));
    }
}
