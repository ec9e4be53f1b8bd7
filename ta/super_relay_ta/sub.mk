# SPDX-License-Identifier: Apache-2.0
global-incdirs-y += include
global-incdirs-y += ../../src
global-incdirs_ext-y += $(SECP256K1_DIR)/include

srcs-y += algorithm.c
srcs-y += cmd_info.c
srcs-y += cmd_keys.c
srcs-y += cmd_sign.c
srcs-y += entry.c
srcs-y += key.c
srcs-y += keystore.c
srcs-y += memory.c
srcs-y += sign_ed25519.c
srcs-y += sign_secp256k1.c
srcs-y += sponsorship.c
srcs-y += wire.c

subdirs-y += lib/eth
subdirs-y += lib/secp256k1
