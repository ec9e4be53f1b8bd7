# SPDX-License-Identifier: Apache-2.0
# All of it is for the i.MX 93 alone: on other machines this layer changes nothing.

FILESEXTRAPATHS:prepend:mx93-nxp-bsp := "${THISDIR}/files:"
# nooelint: oelint.file.inappropriatemsg
SRC_URI:append:mx93-nxp-bsp = " \
    file://0001-imx93-seed-the-generator-from-the-enclave.patch \
    file://check-optee.sh \
"

# PLATFORM=, by the name that meta-freescale has for it.
# nooelint: oelint.vars.mispell.unknown
OPTEEMACHINE:mx93-nxp-bsp = "imx-mx93evk"
EXTRA_OEMAKE:append:mx93-nxp-bsp = " ${SUPERRELAY_OPTEE_FLAGS} ${SUPERRELAY_TA_KEY_FLAGS}"
do_compile[file-checksums] += "${SUPERRELAY_TA_KEY_FILES}"

# An OP-TEE whose keys can be guessed is not compiled.
# nooelint: oelint.func.specific
do_compile:prepend:mx93-nxp-bsp() {
    bash ${SUPERRELAY_CHECK} source ${S}
}

# What was built is asked, too, since the sources could have been understood wrongly.
# nooelint: oelint.func.specific
do_compile:append:mx93-nxp-bsp() {
    bash ${SUPERRELAY_CHECK} core ${OBJDUMP} ${B}/core/tee.elf
    if [ "${SUPERRELAY_TEST_KEYS}" != 1 ]; then
        bash ${SUPERRELAY_CHECK} key ${PYTHON} ${S} ${B}/core
    fi
}
