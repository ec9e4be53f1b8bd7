# SPDX-License-Identifier: Apache-2.0
# All of it is for the i.MX 93 alone: on other machines this layer changes nothing.

# An emulated RPMB forgets at each boot, and answers as if it did not. Nor are TAs wanted from a
# second directory. The storage goes to what super-relay-state mounts: the default of older releases
# lies on the root file system, which cannot be written.
EXTRA_OECMAKE:append:mx93-nxp-bsp = " \
    -DRPMB_EMU=OFF \
    -DCFG_TA_TEST_PATH=OFF \
    -DCFG_TEE_FS_PARENT_PATH=${localstatedir}/lib/tee \
"

# The client's device, for the group that project and units name; "teeclnt" in older releases.
# nooelint: oelint.vars.mispell.unknown
TEE_GROUP_NAME:mx93-nxp-bsp = "tee"

# An option that is not understood is ignored: CMake's result is asked.
# nooelint: oelint.func.specific
do_configure:append:mx93-nxp-bsp() {
    if grep -rqs --include=build.ninja --include=flags.make -e '-DRPMB_EMU=1' ${B}; then
        bbfatal "tee-supplicant would emulate the RPMB, although RPMB_EMU is off"
    fi
}

# So is the program, in case the emulation is switched by something else one day. This is what it
# says, and nothing else does.
# nooelint: oelint.func.specific
do_install:append:mx93-nxp-bsp() {
    if grep -rqs 'Emulating more than 1 RPMB' ${D}; then
        bbfatal "tee-supplicant emulates the RPMB, although RPMB_EMU is off"
    fi
}
