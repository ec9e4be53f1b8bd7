# SPDX-License-Identifier: Apache-2.0
# libsecp256k1, from the source tree that SECP256K1_DIR names.
srcs_ext_base-y = $(SECP256K1_DIR)/src
srcs_ext-y += secp256k1.c
srcs_ext-y += precomputed_ecmult.c
srcs_ext-y += precomputed_ecmult_gen.c
srcs-y += callbacks.c

# 128 KB of tables for verifying: the library's own 1 MB makes a signature 1 % cheaper, 8 KB
# makes it 3 % dearer. Those for signing are small (22 KB): 86 KB gain 1 %. What stands here is
# repeated in tests/bench/meson.build.
cppflags-y += -DENABLE_MODULE_RECOVERY=1
cppflags-y += -DUSE_EXTERNAL_DEFAULT_CALLBACKS=1
cppflags-y += -DECMULT_WINDOW_SIZE=12
# Before version 0.5 of the library; its default is the same since then.
cppflags-y += -DECMULT_GEN_PREC_BITS=4

# The dev kit's -Os signs 45 % slower. -O3 would gain 2 %, but -O2 is what the library's authors
# test for constant time. Warnings are for our own code.
cflags-y += -O2 -Wno-error -w
