# nooelint: oelint.var.bbclassextend,oelint.var.suggestedvar.BUGTRACKER
# SPDX-License-Identifier: Apache-2.0
SUMMARY = "SuperRelay's Trusted Application for OP-TEE"
DESCRIPTION = "Holds the paymaster's keys in the secure world, judges each sponsorship by the \
               operator's policy, signs it and keeps a chain of what it signed."
SECTION = "security"
# libsecp256k1 is compiled into it.
LICENSE = "Apache-2.0 & MIT"

require super-relay-source.inc

# nooelint: oelint.var.licenseremotefile
LIC_FILES_CHKSUM += "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

# libsecp256k1 for its sources, which its recipe leaves in the sysroot.
DEPENDS += "libsecp256k1 optee-os-tadevkit python3-cryptography-native"

inherit python3native features_check

REQUIRED_MACHINE_FEATURES = "optee"
PACKAGE_ARCH = "${MACHINE_ARCH}"

TA_UUID = "12345678-5b69-11d4-9fee-00c04f4c3456"
TA_DEV_KIT_DIR = "${STAGING_INCDIR}/optee/export-user_ta"

# Raise it with each release that devices get: OP-TEE refuses to go back.
SUPERRELAY_TA_VERSION ?= "1"

B = "${WORKDIR}/build"

EXTRA_OEMAKE = "\
    TA_DEV_KIT_DIR=${TA_DEV_KIT_DIR} \
    CROSS_COMPILE=${HOST_PREFIX} \
    O=${B} \
    SECP256K1_DIR=${STAGING_DATADIR}/libsecp256k1/source \
    CFG_TA_VERSION=${SUPERRELAY_TA_VERSION} \
    ${SUPERRELAY_TA_KEY_FLAGS} \
"
# Vouches for OP-TEE's generator, which this layer's optee-os has made sure of. On other machines
# the TA trusts no generator.
# nooelint: oelint.vars.specific
EXTRA_OEMAKE:append:mx93-nxp-bsp = " ${SUPERRELAY_TA_FLAGS}"

CFLAGS += "--sysroot=${STAGING_DIR_HOST}"
# The dev kit has flags and a linker script of its own.
LDFLAGS[unexport] = "1"
CPPFLAGS[unexport] = "1"
AS[unexport] = "1"
LD[unexport] = "1"
# python3-cryptography's OpenSSL looks for its providers where it was built.
export OPENSSL_MODULES = "${STAGING_LIBDIR_NATIVE}/ossl-modules"

do_configure[noexec] = "1"

# Nothing is compiled before somebody has chosen whose TAs OP-TEE starts.
superrelay_check_ta_key() {
    if [ -n "${SUPERRELAY_TA_SIGN_KEY}" ] && [ -n "${SUPERRELAY_TA_PUBLIC_KEY}" ]; then
        bbfatal "SUPERRELAY_TA_SIGN_KEY and SUPERRELAY_TA_PUBLIC_KEY are both set: where TAs are" \
            "signed offline, the private key has no business here"
    fi
    if [ -n "${SUPERRELAY_TA_PUBLIC_KEY}" ] && [ -z "${SUPERRELAY_SIGNED_TA}" ]; then
        bbfatal "SUPERRELAY_TA_PUBLIC_KEY needs SUPERRELAY_SIGNED_TA, the TA signed for it"
    fi
    if [ -z "${SUPERRELAY_TA_PUBLIC_KEY}" ] && [ -n "${SUPERRELAY_SIGNED_TA}" ]; then
        bbfatal "SUPERRELAY_SIGNED_TA needs SUPERRELAY_TA_PUBLIC_KEY, for OP-TEE to trust"
    fi
    if [ -z "${SUPERRELAY_TA_SIGN_KEY}${SUPERRELAY_TA_PUBLIC_KEY}" ]; then
        if [ "${SUPERRELAY_TEST_KEYS}" != 1 ]; then
            bbfatal "no key signs the Trusted Application: set SUPERRELAY_TA_SIGN_KEY, or" \
                "SUPERRELAY_TA_PUBLIC_KEY with SUPERRELAY_SIGNED_TA, or to try things out" \
                "SUPERRELAY_TEST_KEYS to 1"
        fi
        bbwarn "OP-TEE trusts its published test key: this image protects no keys"
    fi
    for file in ${SUPERRELAY_TA_SIGN_KEY} ${SUPERRELAY_TA_PUBLIC_KEY} ${SUPERRELAY_SIGNED_TA}; do
        if [ ! -f "$file" ]; then
            bbfatal "'$file', which signs or is signed, is no file"
        fi
    done
}
superrelay_check_ta_key[doc] = "Refuses to go on without a key for Trusted Applications"

do_compile() {
    superrelay_check_ta_key
    oe_runmake -C ${S}/ta/super_relay_ta
}
do_compile[cleandirs] = "${B}"
do_compile[file-checksums] += "${SUPERRELAY_TA_KEY_FILES}"

# One that was signed offline was compiled then, and is put in as it is.
do_install() {
    ta=${B}/${TA_UUID}.ta
    if [ -n "${SUPERRELAY_SIGNED_TA}" ]; then
        ta=${SUPERRELAY_SIGNED_TA}
    fi
    install -D -m 0444 $ta ${D}${nonarch_base_libdir}/optee_armtz/${TA_UUID}.ta
}

# Stripping would break the signature.
INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"

FILES:${PN} += "${nonarch_base_libdir}/optee_armtz"
RDEPENDS:${PN} = "optee-client"
