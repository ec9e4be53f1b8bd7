# nooelint: oelint.var.suggestedvar.BUGTRACKER,oelint.var.suggestedvar.CVE_PRODUCT
# SPDX-License-Identifier: Apache-2.0
SUMMARY = "SuperRelay, its Trusted Application and little else"
DESCRIPTION = "Nobody can log in. On the i.MX 93 the root file system is read-only, and what has to \
               last, OP-TEE's storage and the audit log, lies on a partition of its own."
SECTION = "base"
LICENSE = "MIT"

inherit core-image features_check

REQUIRED_MACHINE_FEATURES = "optee"

# local.conf's template has the first in older releases, the others in newer ones.
IMAGE_FEATURES:remove = "debug-tweaks allow-empty-password allow-root-login empty-root-password"

IMAGE_INSTALL = "\
    packagegroup-core-boot \
    optee-client \
    super-relay \
    super-relay-ta \
"

# These three belong together: without the partition, a read-only root file system would get a
# /var/lib in memory, and every boot would begin without keys.
# nooelint: oelint.vars.specific
WKS_FILE:mx93-nxp-bsp = "super-relay-imx93.wks.in"
# nooelint: oelint.vars.specific
IMAGE_INSTALL:append:mx93-nxp-bsp = " super-relay-state"
# nooelint: oelint.vars.specific
IMAGE_FEATURES:append:mx93-nxp-bsp = " read-only-rootfs"

# Asked here and not when recipes are read, so that other images can be made beside this one.
python superrelay_check_image() {
    if not bb.utils.contains('DISTRO_FEATURES', 'systemd', True, False, d):
        bb.fatal('the relay is started by systemd: set INIT_MANAGER = "systemd"')
    for feature in ('ssh-server-dropbear', 'ssh-server-openssh'):
        if bb.utils.contains('IMAGE_FEATURES', feature, True, False, d):
            bb.warn('%s: this image has no password and no authorized key to log in with' % feature)
}
superrelay_check_image[doc] = "Refuses an image on which the relay would not start"
do_rootfs[prefuncs] += "superrelay_check_image"
