# SPDX-License-Identifier: Apache-2.0
global-incdirs-y += include
global-incdirs-y += ../../src
global-incdirs_ext-y += $(SECP256K1_DIR)/include

cppflags-$(CFG_SR_TA_RNDR) += -DCFG_SR_TA_RNDR=1
cppflags-$(CFG_SR_TA_TEE_RANDOM_TRUSTED) += -DCFG_SR_TA_TEE_RANDOM_TRUSTED=1
cppflags-$(CFG_SR_DEV_IMPORT) += -DCFG_SR_DEV_IMPORT=1
cppflags-$(CFG_SR_TEST_HOOKS) += -DCFG_SR_TEST_HOOKS=1

srcs-y += algorithm.c
srcs-y += cmd_info.c
srcs-y += cmd_keys.c
srcs-y += cmd_sign.c
srcs-$(CFG_SR_TEST_HOOKS) += cmd_test.c
srcs-y += cpu_random.c
srcs-y += ed25519_public.c
srcs-y += entropy.c
srcs-y += entry.c
srcs-y += key.c
srcs-y += keystore.c
srcs-y += memory.c
srcs-y += sign_ed25519.c
srcs-y += sign_secp256k1.c
srcs-y += sponsorship.c
srcs-y += tee_generator.c
srcs-y += wire.c

subdirs-y += lib/eth
subdirs-y += lib/secp256k1
