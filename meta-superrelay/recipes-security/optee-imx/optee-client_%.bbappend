# SPDX-License-Identifier: Apache-2.0
# All of it is for the i.MX 93 alone: on other machines this layer changes nothing.

# An emulated RPMB forgets at each boot, and answers as if it did not. Nor are TAs wanted from a
# second directory.
EXTRA_OECMAKE:append:mx93-nxp-bsp = " -DRPMB_EMU=OFF -DCFG_TA_TEST_PATH=OFF"

# "teeclnt" in older releases. The relay's user is in this one.
# nooelint: oelint.vars.mispell.unknown
TEE_GROUP_NAME:mx93-nxp-bsp = "tee"

# An option that is not understood is ignored: CMake's result is asked.
# nooelint: oelint.func.specific
do_configure:append:mx93-nxp-bsp() {
    if grep -rqs --include=build.ninja --include=flags.make -e '-DRPMB_EMU=1' ${B}; then
        bbfatal "tee-supplicant would emulate the RPMB, although RPMB_EMU is off"
    fi
}
