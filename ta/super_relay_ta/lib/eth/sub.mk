# SPDX-License-Identifier: Apache-2.0
# The daemon's own Keccak and ABI words, as they stand.
srcs_ext_base-y = $(sub-dir)/../../../../src/eth
srcs_ext-y += abi.c
srcs_ext-y += keccak.c
srcs_ext-y += sponsorship.c
srcs_ext-y += u256.c

# Keccak is a third of a sponsorship's cost at the dev kit's -Os.
cflags-keccak.c-y += -O2
