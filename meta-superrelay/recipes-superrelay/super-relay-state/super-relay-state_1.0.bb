# nooelint: oelint.var.bbclassextend,oelint.var.suggestedvar.BUGTRACKER
# SPDX-License-Identifier: Apache-2.0
SUMMARY = "The partition that keeps the state of SuperRelay and OP-TEE"
DESCRIPTION = "Mounts the partition labelled superrelay at /var/lib, keeps systemd from putting a \
               file system in memory there, and tee-supplicant from starting before it is there."
# nooelint: oelint.vars.homepageping
HOMEPAGE = "https://eips.ethereum.org/EIPS/eip-4337"
SECTION = "base"
CVE_PRODUCT = "super-relay"
LICENSE = "Apache-2.0"
# nooelint: oelint.var.licenseremotefile
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "\
    file://rpmb.rules;subdir=${BP} \
    file://tee-supplicant.conf;subdir=${BP} \
    file://var-lib.mount;subdir=${BP} \
    file://volatile-lib.conf;subdir=${BP} \
"

inherit systemd useradd

SYSTEMD_SERVICE:${PN} = "var-lib.mount"

# Older releases have no such group, and run tee-supplicant as root.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system teepriv"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

# udev's rules for OP-TEE start an instance for each device, and settings of the template hold for
# all of them.
do_install() {
    units=${D}${systemd_system_unitdir}
    install -D -m 0644 ${S}/var-lib.mount $units/var-lib.mount
    install -D -m 0644 ${S}/volatile-lib.conf \
        $units/var-volatile-lib.service.d/50-super-relay.conf
    install -D -m 0644 ${S}/tee-supplicant.conf \
        $units/tee-supplicant@.service.d/50-super-relay.conf
    install -D -m 0644 ${S}/rpmb.rules \
        ${D}${nonarch_base_libdir}/udev/rules.d/80-super-relay-rpmb.rules
}

FILES:${PN} += "${systemd_system_unitdir} ${nonarch_base_libdir}/udev"
RDEPENDS:${PN} = "e2fsprogs-e2fsck"
