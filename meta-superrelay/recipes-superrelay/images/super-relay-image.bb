# nooelint: oelint.var.suggestedvar.BUGTRACKER,oelint.var.suggestedvar.CVE_PRODUCT
# SPDX-License-Identifier: Apache-2.0
SUMMARY = "SuperRelay, its Trusted Application and little else"
DESCRIPTION = "Nobody can log in. On the i.MX 93 the root file system is read-only, and what has to \
               last, OP-TEE's storage and the audit log, lies on a partition of its own."

require super-relay-image.inc

# local.conf's template has the first in older releases, the others in newer ones.
IMAGE_FEATURES:remove = "debug-tweaks allow-empty-password allow-root-login empty-root-password"
# nooelint: oelint.vars.specific
IMAGE_FEATURES:append:mx93-nxp-bsp = " read-only-rootfs"

# Features, packages and local.conf may have made log-ins all the same: the finished file system is
# asked.
superrelay_check_logins() {
    for file in passwd shadow; do
        if grep -qs '^[^:]*::' ${IMAGE_ROOTFS}${sysconfdir}/$file; then
            bbfatal "$file has an account without a password: this is the image for service"
        fi
    done
    if [ -e ${IMAGE_ROOTFS}${sbindir}/super-relay-provision ]; then
        bbfatal "super-relay-provisioning is for super-relay-commissioning-image alone"
    fi
}
superrelay_check_logins[doc] = "Refuses an image for service that lets anybody in"
IMAGE_QA_COMMANDS += "superrelay_check_logins"
