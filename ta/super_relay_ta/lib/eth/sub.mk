# SPDX-License-Identifier: Apache-2.0
# What src/eth/eth_core.h declares, as the daemon has it.
srcs_ext_base-y = $(sub-dir)/../../../../src/eth
srcs_ext-y += abi.c
srcs_ext-y += eip712.c
srcs_ext-y += handle_ops.c
srcs_ext-y += keccak.c
srcs_ext-y += public_key.c
srcs_ext-y += rlp_read.c
srcs_ext-y += sponsorship.c
srcs_ext-y += sponsorship_singleton.c
srcs_ext-y += sponsorship_typed.c
srcs_ext-y += sponsorship_v06.c
srcs_ext-y += transaction.c
srcs_ext-y += u256.c

# Keccak is a third of a sponsorship's cost at the dev kit's -Os.
cflags-keccak.c-y += -O2
